// What the plan of a Sequence knows.
import { Sequence } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import { findFlow, type FlowParts } from "../flow.ts";
import type { ReferenceDeps } from "../references.ts";
import { sequenceNames } from "./wanted.ts";

export interface ObservedSequence {
  readonly sequence: Sequence;
  readonly parts: FlowParts;
  readonly nowMs: number;
}

export async function observeSequence(key: ObjectKey, world: World, deps: ReferenceDeps): Promise<ObservedSequence | undefined> {
  const sequence = await world.client.find(Sequence, key.namespace, key.name);
  if (sequence === undefined) return undefined;
  const template = sequence.spec.channelTemplate ?? {};
  const parts = await findFlow(world.client, sequenceNames(sequence), { namespace: key.namespace, template, deps });
  return { sequence, parts, nowMs: world.nowMs.monotonic };
}
