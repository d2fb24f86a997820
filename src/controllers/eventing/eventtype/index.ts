// The controller of EventTypes: tells whether what they are about exists.
import { EventType } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker, type ReferenceDeps } from "../references.ts";
import { observeEventType, type ObservedEventType } from "./observe.ts";
import { planEventType } from "./plan.ts";

export { SeenEvents, type SeenEvent } from "./seen-events.ts";

/** `referred`: kinds whose objects have types of events, and are watched for that. */
export function eventTypeController(deps: ReferenceDeps, referred: readonly Kind[]): Controller<EventType, ObservedEventType> {
  const references = new ReferenceTracker();
  return {
    name: "eventtype-controller",
    primary: EventType,
    owns: [],
    watches: references.watches(referred),
    observe: (key, world) => observeEventType(key, world, { ...deps, references }),
    plan: planEventType,
    primaryOf: ({ eventType }) => eventType,
    forget: (key) => references.forget(key),
  };
}
