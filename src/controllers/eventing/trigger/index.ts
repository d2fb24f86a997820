// The controller of Triggers: resolves whom they send to, and tells whether the events thread does.
import { Broker, Trigger } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observeTrigger, type ObservedTrigger, type TriggerControllerDeps } from "./observe.ts";
import { planTrigger } from "./plan.ts";

export type { TriggerControllerDeps } from "./observe.ts";

/** `addressables`: kinds whose objects may be subscribers, and are watched for that. */
export function triggerController(deps: TriggerControllerDeps, addressables: readonly Kind[]): Controller<Trigger, ObservedTrigger> {
  const references = new ReferenceTracker();
  const kinds = [...addressables.filter(({ kind, group }) => kind !== Broker.kind || group !== Broker.group), Broker as unknown as Kind];
  return {
    name: "mt-broker-trigger-controller",
    primary: Trigger,
    owns: [],
    watches: references.watches(kinds),
    observe: (key, world) => observeTrigger(key, world, { ...deps, references }),
    plan: planTrigger,
    primaryOf: ({ trigger }) => trigger,
    forget: (key) => references.forget(key),
  };
}
