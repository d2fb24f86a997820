// The controller of Subscriptions: resolves whom they call, and writes that into their channels.
import { Subscription } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observeSubscription, type ObservedSubscription, type SubscriptionControllerDeps } from "./observe.ts";
import { planSubscription } from "./plan.ts";

export type { SubscriptionControllerDeps } from "./observe.ts";

/** `addressables`: kinds whose objects may be subscribers, channels among them, and are watched for that. */
export function subscriptionController(deps: SubscriptionControllerDeps, addressables: readonly Kind[]): Controller<Subscription, ObservedSubscription> {
  const references = new ReferenceTracker();
  return {
    name: "subscription-controller",
    primary: Subscription,
    owns: [],
    watches: references.watches(addressables),
    observe: (key, world) => observeSubscription(key, world, { ...deps, references }),
    plan: planSubscription,
    primaryOf: ({ subscription }) => subscription,
    forget: (key) => references.forget(key),
  };
}
