// Subscription (messaging.knative.dev/v1): where the events of a channel go, and where the answers to them go.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { DeliverySchema, deliveryStatus } from "../duck/delivery.ts";
import { DestinationSchema } from "../duck/destination.ts";
import { KReferenceSchema } from "../duck/reference.ts";
import { authStatus, duckStatus } from "../duck/status.ts";
import { AGE, READY } from "../eventing/group.ts";
import { messagingGroup } from "./group.ts";

const text = s.optional(s.string());

const Spec = s.object({
  channel: s.filled(KReferenceSchema),
  delivery: s.optional(DeliverySchema),
  reply: s.optional(DestinationSchema),
  subscriber: s.optional(DestinationSchema),
});
export type SubscriptionSpec = ValueOf<typeof Spec>;

/** Everything resolved. */
const Physical = s.object({
  ...deliveryStatus,
  replyAudience: text,
  replyCACerts: text,
  replyUri: text,
  subscriberAudience: text,
  subscriberCACerts: text,
  subscriberUri: text,
});

const Status = s.object({ ...duckStatus, ...authStatus, physicalSubscription: s.optional(Physical) });
export type SubscriptionStatus = ValueOf<typeof Status>;

export const Subscription = defineKind({
  ...messagingGroup,
  kind: "Subscription",
  plural: "subscriptions",
  shortNames: ["sub"],
  columns: [AGE, ...READY],
  spec: Spec,
  status: Status,
});
export type Subscription = ObjectOf<typeof Subscription>;

export const subscriptionConditions = conditionSet({
  happy: "Ready",
  dependents: ["ReferencesResolved", "AddedToChannel", "ChannelReady", "OIDCIdentityCreated"],
});
