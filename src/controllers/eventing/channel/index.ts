// The controller of Channels: makes the channel behind each, and says of it what that one says.
import { Channel, InMemoryChannel } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import type { ReferenceDeps } from "../references.ts";
import { observeChannel, type ObservedChannel } from "./observe.ts";
import { planChannel } from "./plan.ts";

/** Channels of users' kinds are not watched; they are looked at again while they are not ready. */
export function channelController(deps: ReferenceDeps): Controller<Channel, ObservedChannel> {
  return {
    name: "channel-controller",
    primary: Channel,
    owns: [InMemoryChannel as unknown as Kind],
    observe: (key, world) => observeChannel(key, world, deps),
    plan: planChannel,
    primaryOf: ({ channel }) => channel,
  };
}
