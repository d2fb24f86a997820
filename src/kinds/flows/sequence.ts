// Sequence (flows.knative.dev/v1): events go through steps, each gets what the one before it answered.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { addressStatus } from "../duck/addressable.ts";
import { DeliverySchema } from "../duck/delivery.ts";
import { destinationFields, DestinationSchema } from "../duck/destination.ts";
import { authStatus, duckStatus } from "../duck/status.ts";
import { policiesStatus } from "../eventing/broker.ts";
import { ChannelTemplateSchema } from "../messaging/channel.ts";
import { ChannelState, flowsGroup, SubscriptionState } from "./group.ts";

const Step = s.object({ ...destinationFields, delivery: s.optional(DeliverySchema) });
export type SequenceStep = ValueOf<typeof Step>;

const Spec = s.object({
  channelTemplate: s.optional(ChannelTemplateSchema),
  reply: s.optional(DestinationSchema),
  steps: s.filled(s.list(Step, { plain: true })),
});
export type SequenceSpec = ValueOf<typeof Spec>;

const Status = s.object({
  ...duckStatus,
  ...addressStatus,
  ...authStatus,
  ...policiesStatus,
  channelStatuses: s.optional(s.list(ChannelState, { plain: true })),
  subscriptionStatuses: s.optional(s.list(SubscriptionState, { plain: true })),
});
export type SequenceStatus = ValueOf<typeof Status>;

export const Sequence = defineKind({ ...flowsGroup, kind: "Sequence", plural: "sequences", spec: Spec, status: Status });
export type Sequence = ObjectOf<typeof Sequence>;

export const sequenceConditions = conditionSet({
  happy: "Ready",
  dependents: ["ChannelsReady", "SubscriptionsReady", "Addressable", "EventPoliciesReady"],
});
