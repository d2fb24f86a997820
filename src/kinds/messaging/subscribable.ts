// What channels have in common: subscribers and how they are (eventing.md §0.4, Channelable).
import { s, type ValueOf } from "#schema";
import { addressStatus } from "../duck/addressable.ts";
import { DeliverySchema, deliveryStatus } from "../duck/delivery.ts";
import { authStatus, duckStatus } from "../duck/status.ts";
import { policiesStatus } from "../eventing/broker.ts";

const text = s.optional(s.string());

const Subscriber = s.object({
  ...authStatus,
  delivery: s.optional(DeliverySchema),
  generation: s.optional(s.int64()),
  name: text,
  replyAudience: text,
  replyCACerts: text,
  replyUri: text,
  subscriberAudience: text,
  subscriberCACerts: text,
  subscriberUri: text,
  uid: text,
});
/** An entry of a channel's `spec.subscribers`; its uid is that of the Subscription. */
export type ChannelSubscriber = ValueOf<typeof Subscriber>;

/** Properties of `spec` of every channel. */
export const channelableSpec = { delivery: s.optional(DeliverySchema), subscribers: s.optional(s.list(Subscriber, { plain: true })) };

const SubscriberStatus = s.object({ ...authStatus, message: text, observedGeneration: s.optional(s.int64()), ready: text, uid: text });
/** An entry of a channel's `status.subscribers`. */
export type ChannelSubscriberStatus = ValueOf<typeof SubscriberStatus>;

/** Properties of `status` of every channel. */
export const channelableStatus = {
  ...duckStatus,
  ...addressStatus,
  ...deliveryStatus,
  ...policiesStatus,
  subscribers: s.optional(s.list(SubscriberStatus, { plain: true })),
};
