// The controller of Sequences: a channel and a Subscription for each step.
import { Channel, InMemoryChannel, Sequence, Subscription } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import type { ReferenceDeps } from "../references.ts";
import { observeSequence, type ObservedSequence } from "./observe.ts";
import { planSequence } from "./plan.ts";

/** Channels of users' kinds are not watched, and those of removed steps stay until the Sequence goes. */
export function sequenceController(deps: ReferenceDeps): Controller<Sequence, ObservedSequence> {
  return {
    name: "sequence-controller",
    primary: Sequence,
    owns: [InMemoryChannel, Channel, Subscription] as unknown as readonly Kind[],
    observe: (key, world) => observeSequence(key, world, deps),
    plan: planSequence,
    primaryOf: ({ sequence }) => sequence,
  };
}
