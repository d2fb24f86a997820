// What the plan of a PingSource knows.
import { PingSource, type FindReferenced } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import { findNamed, type ReferenceDeps, type ReferenceTracker } from "../references.ts";
import type { Standing } from "../standing.ts";

export interface PingSourceControllerDeps extends ReferenceDeps {
  /** What is in force of the source (`namespace/name`); its changes are told by `requeue`. */
  readonly standing: (key: string) => Standing | undefined;
}

export interface ObservedPingSource {
  readonly source: PingSource;
  readonly find: FindReferenced;
  readonly standing: Standing | undefined;
}

export async function observePingSource(
  key: ObjectKey,
  { client }: World,
  deps: PingSourceControllerDeps & { readonly references: ReferenceTracker },
): Promise<ObservedPingSource | undefined> {
  const source = await client.find(PingSource, key.namespace, key.name);
  if (source === undefined) return undefined;
  const find = await findNamed(client, { key, destinations: [source.spec.sink] }, deps);
  return { source, find, standing: deps.standing(`${key.namespace}/${key.name}`) };
}
