// The controller of InMemoryChannels: gives each its name, and tells whether the events thread serves it and whom it delivers to.
import { CoreService, InMemoryChannel } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observeInMemoryChannel, type InMemoryChannelControllerDeps, type ObservedInMemoryChannel } from "./observe.ts";
import { planInMemoryChannel } from "./plan.ts";

export { CHANNEL_DISPATCHER } from "./children.ts";
export type { InMemoryChannelControllerDeps } from "./observe.ts";

/** `addressables`: kinds whose objects may be dead letter sinks, and are watched for that. */
export function inMemoryChannelController(
  deps: InMemoryChannelControllerDeps,
  addressables: readonly Kind[],
): Controller<InMemoryChannel, ObservedInMemoryChannel> {
  const references = new ReferenceTracker();
  return {
    name: "inmemorychannel-controller",
    primary: InMemoryChannel,
    owns: [CoreService as unknown as Kind],
    watches: references.watches(addressables),
    observe: (key, world) => observeInMemoryChannel(key, world, { ...deps, references }),
    plan: planInMemoryChannel,
    primaryOf: ({ channel }) => channel,
    forget: (key) => references.forget(key),
  };
}
