// Parallel (flows.knative.dev/v1): each event goes to all branches whose filter lets it through.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { addressStatus } from "../duck/addressable.ts";
import { DeliverySchema } from "../duck/delivery.ts";
import { DestinationSchema } from "../duck/destination.ts";
import { authStatus, duckStatus } from "../duck/status.ts";
import { policiesStatus } from "../eventing/broker.ts";
import { ChannelTemplateSchema } from "../messaging/channel.ts";
import { ChannelState, flowsGroup, SubscriptionState } from "./group.ts";

const Branch = s.object({
  delivery: s.optional(DeliverySchema),
  filter: s.optional(DestinationSchema),
  reply: s.optional(DestinationSchema),
  subscriber: s.filled(DestinationSchema),
});
export type ParallelBranch = ValueOf<typeof Branch>;

const Spec = s.object({
  branches: s.filled(s.list(Branch, { plain: true })),
  channelTemplate: s.optional(ChannelTemplateSchema),
  reply: s.optional(DestinationSchema),
});
export type ParallelSpec = ValueOf<typeof Spec>;

const BranchStatus = s.object({
  filterChannelStatus: s.optional(ChannelState),
  filterSubscriptionStatus: s.optional(SubscriptionState),
  subscriberSubscriptionStatus: s.optional(SubscriptionState),
});

const Status = s.object({
  ...duckStatus,
  ...addressStatus,
  ...authStatus,
  ...policiesStatus,
  branchStatuses: s.optional(s.list(BranchStatus, { plain: true })),
  ingressChannelStatus: s.optional(ChannelState),
});
export type ParallelStatus = ValueOf<typeof Status>;

export const Parallel = defineKind({ ...flowsGroup, kind: "Parallel", plural: "parallels", spec: Spec, status: Status });
export type Parallel = ObjectOf<typeof Parallel>;

export const parallelConditions = conditionSet({
  happy: "Ready",
  dependents: ["ChannelsReady", "SubscriptionsReady", "Addressable", "EventPoliciesReady"],
});
