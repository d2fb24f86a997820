// What a Configuration's plan knows: its Revisions, and who holds the name that the next one would have.
import { Configuration, Revision } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { revisionNameFor } from "./children.ts";

export interface ObservedConfiguration {
  readonly configuration: Configuration;
  /** All Revisions that this Configuration controls. */
  readonly revisions: readonly Revision[];
  /** The Revision with the wanted name, whoever made it. */
  readonly named: Revision | undefined;
  readonly nowWallMs: number;
}

export async function observeConfiguration(key: ObjectKey, world: ShellWorld): Promise<ObservedConfiguration | undefined> {
  const configuration = await world.client.find(Configuration, key.namespace, key.name);
  if (configuration === undefined) return undefined;
  const revisions = await world.owned(Revision, configuration.metadata);
  const name = revisionNameFor(configuration);
  const named = revisions.find((revision) => revision.metadata.name === name) ?? (await world.client.find(Revision, key.namespace, name));
  return { configuration, revisions, named, nowWallMs: world.nowMs.wall };
}
