// Broker (eventing.knative.dev/v1): takes events of a namespace in and hands them to its Triggers.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { addressStatus } from "../duck/addressable.ts";
import { deliveryStatus, DeliverySchema } from "../duck/delivery.ts";
import { KReferenceSchema } from "../duck/reference.ts";
import { duckStatus } from "../duck/status.ts";
import { ADDRESS_URL, AGE, eventingGroup, eventingLabels, READY } from "./group.ts";

/** Policies that apply to what can be sent to. */
export const policiesStatus = { policies: s.optional(s.list(s.object({ apiVersion: s.optional(s.string()), name: s.optional(s.string()) }), { plain: true })) };

const Status = s.object({ ...duckStatus, ...addressStatus, ...deliveryStatus, ...policiesStatus });
export type BrokerStatus = ValueOf<typeof Status>;

const Spec = s.object({ config: s.optional(KReferenceSchema), delivery: s.optional(DeliverySchema) });
export type BrokerSpec = ValueOf<typeof Spec>;

export const Broker = defineKind({
  ...eventingGroup,
  kind: "Broker",
  plural: "brokers",
  columns: [ADDRESS_URL, AGE, ...READY, { name: "Class", type: "string", priority: 1, path: ".metadata.annotations.eventing\\.knative\\.dev/broker\\.class" }],
  labels: eventingLabels.addressable,
  spec: Spec,
  status: Status,
});
export type Broker = ObjectOf<typeof Broker>;

export const brokerConditions = conditionSet({
  happy: "Ready",
  dependents: ["IngressReady", "TriggerChannelReady", "FilterReady", "Addressable", "DeadLetterSinkResolved", "EventPoliciesReady"],
});
