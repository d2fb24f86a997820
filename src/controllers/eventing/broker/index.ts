// The controller of Brokers: tells whether the events thread serves them, and where they are reached.
import { Broker } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observeBroker, type BrokerControllerDeps, type ObservedBroker } from "./observe.ts";
import { planBroker } from "./plan.ts";

export type { BrokerControllerDeps } from "./observe.ts";
export { BROKER_INGRESS } from "./plan.ts";

/** `addressables`: kinds whose objects may be dead letter sinks, and are watched for that. */
export function brokerController(deps: BrokerControllerDeps, addressables: readonly Kind[]): Controller<Broker, ObservedBroker> {
  const references = new ReferenceTracker();
  return {
    name: "mt-broker-controller",
    primary: Broker,
    owns: [],
    watches: references.watches(addressables),
    observe: (key, world) => observeBroker(key, world, { ...deps, references }),
    plan: planBroker,
    primaryOf: ({ broker }) => broker,
    forget: (key) => references.forget(key),
  };
}
