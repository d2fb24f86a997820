// Reads a namespace and, while it is being deleted, what is left in it.
import { Namespace } from "#kinds";
import type { World } from "#reconcile";
import type { Kind, ObjectKey } from "#schema";

/** An object of a namespace that is on its way out. */
export interface Leftover {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly deleting: boolean;
}

export interface ObservedNamespace {
  readonly namespace: Namespace;
  readonly leftovers: readonly Leftover[];
  readonly nowMs: { readonly monotonic: number };
}

/** Objects of one kind that one pass looks at; the next pass sees the rest. */
const PAGE = 500;

async function leftoversOf(kind: Kind, namespace: string, world: World): Promise<readonly Leftover[]> {
  const { items } = await world.client.list(kind, { namespace, limit: PAGE });
  return items.map(({ metadata }) => ({ kind, namespace, name: metadata.name, uid: metadata.uid, deleting: metadata.deletionTimestamp !== undefined }));
}

export async function observeNamespace(key: ObjectKey, world: World, kinds: readonly Kind[]): Promise<ObservedNamespace | undefined> {
  const namespace = await world.client.find(Namespace, "", key.name);
  if (namespace === undefined) return undefined;
  const leftovers: Leftover[] = [];
  if (namespace.metadata.deletionTimestamp !== undefined) {
    for (const kind of kinds) leftovers.push(...(await leftoversOf(kind, key.name, world)));
  }
  return { namespace, leftovers, nowMs: world.nowMs };
}
