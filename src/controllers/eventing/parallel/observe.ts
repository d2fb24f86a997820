// What the plan of a Parallel knows.
import { Parallel } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import { findFlow, type FlowParts } from "../flow.ts";
import type { ReferenceDeps } from "../references.ts";
import { parallelNames } from "./wanted.ts";

export interface ObservedParallel {
  readonly parallel: Parallel;
  readonly parts: FlowParts;
  readonly nowMs: number;
}

export async function observeParallel(key: ObjectKey, world: World, deps: ReferenceDeps): Promise<ObservedParallel | undefined> {
  const parallel = await world.client.find(Parallel, key.namespace, key.name);
  if (parallel === undefined) return undefined;
  const template = parallel.spec.channelTemplate ?? {};
  const parts = await findFlow(world.client, parallelNames(parallel), { namespace: key.namespace, template, deps });
  return { parallel, parts, nowMs: world.nowMs.monotonic };
}
