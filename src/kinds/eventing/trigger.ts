// Trigger (eventing.knative.dev/v1): which events of a Broker go to a subscriber.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { DeliverySchema, deliveryStatus } from "../duck/delivery.ts";
import { DestinationSchema } from "../duck/destination.ts";
import { KReferenceSchema } from "../duck/reference.ts";
import { authStatus, duckStatus } from "../duck/status.ts";
import { AGE, eventingGroup, eventingLabels, READY } from "./group.ts";
import { EventFilterSchema } from "./event-filter.ts";

const text = s.optional(s.string());

const Spec = s.object({
  broker: text,
  brokerRef: s.optional(KReferenceSchema),
  delivery: s.optional(DeliverySchema),
  filter: s.optional(s.object({ attributes: s.optional(s.map(s.string())) })),
  filters: s.optional(s.list(EventFilterSchema, { plain: true })),
  subscriber: s.filled(DestinationSchema),
});
export type TriggerSpec = ValueOf<typeof Spec>;

const Status = s.object({
  ...duckStatus,
  ...deliveryStatus,
  ...authStatus,
  subscriberAudience: text,
  subscriberCACerts: text,
  subscriberUri: text,
});
export type TriggerStatus = ValueOf<typeof Status>;

export const Trigger = defineKind({
  ...eventingGroup,
  kind: "Trigger",
  plural: "triggers",
  columns: [{ name: "Broker", type: "string", path: ".spec.broker" }, { name: "Subscriber_URI", type: "string", path: ".status.subscriberUri" }, AGE, ...READY],
  labels: eventingLabels.plain,
  spec: Spec,
  status: Status,
});
export type Trigger = ObjectOf<typeof Trigger>;

export const triggerConditions = conditionSet({
  happy: "Ready",
  dependents: ["BrokerReady", "SubscriptionReady", "DependencyReady", "SubscriberResolved", "DeadLetterSinkResolved", "OIDCIdentityCreated"],
});
