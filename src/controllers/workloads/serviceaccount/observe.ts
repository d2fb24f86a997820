// Reads a namespace.
import { Namespace } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";

export interface ObservedNamespaceDefaults {
  readonly namespace: Namespace;
  readonly rootCa: string | undefined;
}

export async function observeNamespaceDefaults(key: ObjectKey, world: World, rootCa: string | undefined): Promise<ObservedNamespaceDefaults | undefined> {
  const namespace = await world.client.find(Namespace, "", key.name);
  return namespace === undefined ? undefined : { namespace, rootCa };
}
