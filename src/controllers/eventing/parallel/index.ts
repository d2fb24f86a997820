// The controller of Parallels: a channel in front, and for each branch a channel and two Subscriptions.
import { Channel, InMemoryChannel, Parallel, Subscription } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import type { ReferenceDeps } from "../references.ts";
import { observeParallel, type ObservedParallel } from "./observe.ts";
import { planParallel } from "./plan.ts";

/** Channels of users' kinds are not watched, and those of removed branches stay until the Parallel goes. */
export function parallelController(deps: ReferenceDeps): Controller<Parallel, ObservedParallel> {
  return {
    name: "parallel-controller",
    primary: Parallel,
    owns: [InMemoryChannel, Channel, Subscription] as unknown as readonly Kind[],
    observe: (key, world) => observeParallel(key, world, deps),
    plan: planParallel,
    primaryOf: ({ parallel }) => parallel,
  };
}
