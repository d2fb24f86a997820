// The status of an EventType (eventing.md 1.3):
//
// spec.reference         ReferenceExists
// is not set             True ReferenceNotSet
// names what is there    True
// names what is not      False ResourceDoesNotExist: its coming wakes the key
// cannot be looked up    Unknown ReferenceGetFailed, which is tried again
import { eventTypeConditions as conditions } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import type { ObservedEventType, Referred } from "./observe.ts";

const TYPE = "ReferenceExists";

export function planEventType({ eventType, referred }: ObservedEventType): Plan {
  if (eventType.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const { generation } = eventType.metadata;
  const marks = mark(beginConditions(conditions, eventType), referred);
  const status = { ...(generation === undefined ? {} : { observedGeneration: generation }), conditions: conditions.sorted(marks) };
  return { desired: undefined, status, ...(typeof referred === "string" ? {} : { failure: referred.error }) };
}

function mark(marks: readonly Condition[], referred: Referred): Condition[] {
  if (referred === "exists") return conditions.markTrue(marks, TYPE);
  if (referred === "unset") return conditions.markTrue(marks, TYPE, { reason: "ReferenceNotSet", message: "spec.reference is not set" });
  if (referred === "missing")
    return conditions.markFalse(marks, TYPE, { reason: "ResourceDoesNotExist", message: "Resource in spec.reference does not exist" });
  return conditions.markUnknown(marks, TYPE, { reason: "ReferenceGetFailed", message: `Failed to get reference: ${referred.error}` });
}
