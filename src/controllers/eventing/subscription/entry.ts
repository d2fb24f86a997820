// What a Subscription writes into its channel: its entry among the channel's subscribers (eventing.md 1.9). Pure.
import type { ChannelSubscriber, DeliverySpec, Subscription, SubscriptionStatus } from "#kinds";
import type { Channelable } from "../backing-channel.ts";

export type Physical = NonNullable<SubscriptionStatus["physicalSubscription"]>;

/** By the uid, so that it stays the same entry, at the same place of the log, however the Subscription changes. */
export function entryFor({ metadata }: Subscription, physical: Physical, delivery: DeliverySpec | undefined): ChannelSubscriber {
  const { subscriberUri, subscriberCACerts, subscriberAudience, replyUri, replyCACerts, replyAudience } = physical;
  const addresses = { subscriberUri, subscriberCACerts, subscriberAudience, replyUri, replyCACerts, replyAudience };
  return {
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
    ...Object.fromEntries(Object.entries(addresses).filter(([, value]) => value !== undefined)),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

/**
 * Retries, waits and time-outs as a block: the Subscription's own, if it has a delivery at all, else the channel's (C17).
 * The dead letter sink falls back on its own, which keeps events (decision 48, row 25). Undefined: nothing is said.
 */
export function deliveryFor({ spec }: Subscription, channel: Channelable, physical: Physical): DeliverySpec | undefined {
  const { retry, backoffPolicy, backoffDelay, timeout, retryAfterMax, format } = spec.delivery ?? channel.spec?.delivery ?? {};
  const { deadLetterSinkUri: uri, deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = physical;
  const sink = Object.fromEntries(Object.entries({ uri, CACerts, audience }).filter(([, value]) => value !== undefined));
  const said = { ...(uri === undefined ? {} : { deadLetterSink: sink }), retry, backoffPolicy, backoffDelay, timeout, retryAfterMax, format };
  const delivery = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as DeliverySpec;
  return Object.keys(delivery).length === 0 ? undefined : delivery;
}

/** The channel's entries with this one in its old place, or at the end. */
export function withEntry(channel: Channelable, entry: ChannelSubscriber): readonly ChannelSubscriber[] {
  const entries = channel.spec?.subscribers ?? [];
  return entries.some(({ uid }) => uid === entry.uid) ? entries.map((each) => (each.uid === entry.uid ? entry : each)) : [...entries, entry];
}

export function withoutEntry(channel: Channelable, uid: string): readonly ChannelSubscriber[] {
  return (channel.spec?.subscribers ?? []).filter((entry) => entry.uid !== uid);
}
