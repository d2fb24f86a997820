// What the kinds of flows.knative.dev have in common (eventing.md §0.1).
import { s } from "#schema";
import { ConditionSchema } from "../duck/status.ts";
import { ADDRESS_URL, AGE, eventingLabels, READY } from "../eventing/group.ts";

export const flowsGroup = {
  group: "flows.knative.dev",
  version: "v1",
  categories: ["all", "knative", "flows"],
  columns: [ADDRESS_URL, AGE, ...READY],
  labels: eventingLabels.addressable,
} as const;

const text = s.optional(s.string());
const ObjectReference = s.object({
  apiVersion: text,
  fieldPath: text,
  kind: text,
  name: text,
  namespace: text,
  resourceVersion: text,
  uid: text,
});

/** One of the flow's channels, and whether it is ready. */
export const ChannelState = s.object({ channel: s.optional(ObjectReference), ready: s.optional(ConditionSchema) });
/** One of the flow's Subscriptions, and whether it is ready. */
export const SubscriptionState = s.object({ ready: s.optional(ConditionSchema), subscription: s.optional(ObjectReference) });
