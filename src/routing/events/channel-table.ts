// InMemoryChannels and what subscribes to them: each channel is a stream, each of its entries a subscriber of it.
import { channelServiceName, CLUSTER_DOMAIN, type ChannelSubscriber, type InMemoryChannel, type Subscription } from "#kinds";
import type { EventStream, EventSubscriber } from "#protocol";
import { annotated } from "./annotated.ts";
import { deliveryRules } from "./delivery-rules.ts";
import { orderOf } from "./order.ts";
import type { TargetCounts } from "./target-counts.ts";
import { targetOf } from "./target.ts";
import { Told, type Changes } from "./told.ts";

/** What is in force of one entry of a channel. */
export interface SubscriberStanding {
  /** Of the Subscription. */
  readonly generation: number;
  readonly subscriberUri?: string;
  readonly replyUri?: string;
  readonly deadLetterSinkUri?: string;
}

/** What is in force of a channel; its controller compares it with what should be. */
export interface ChannelStanding {
  readonly uid: string;
  /** By the uid of the Subscription. */
  readonly subscribers: ReadonlyMap<string, SubscriberStanding>;
}

interface ChannelFacts {
  readonly stream: EventStream;
  /** By the uid of the Subscription. */
  readonly subscribers: ReadonlyMap<string, { readonly is: EventSubscriber; readonly standing: SubscriberStanding }>;
}

/** Users may write entries of their own when they make a channel. */
const UID = /^[0-9A-Za-z-]{1,63}$/;

/** Keys of channels are `namespace/name`; those of entries have the uid of the Subscription behind a blank. */
export class ChannelTable {
  readonly #channels = new Map<string, ChannelFacts>();
  /** Keys of the channels that have an entry of this uid: one, unless somebody plays with entries. */
  readonly #channelsOf = new Map<string, Set<string>>();
  /** Uids of Subscriptions whose references do not lead anywhere now: their events wait. */
  readonly #lost = new Set<string>();
  readonly #dirtyChannels = new Set<string>();
  readonly #dirtyEntries = new Set<string>();
  readonly #streams = new Told<EventStream, string>();
  readonly #entries: Told<EventSubscriber, SubscriberStanding>;

  constructor(targets: TargetCounts) {
    this.#entries = new Told(targets.changed);
  }

  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  upsert(channel: InMemoryChannel): void {
    const { namespace = "", name, deletionTimestamp } = channel.metadata;
    const key = `${namespace}/${name}`;
    if (deletionTimestamp !== undefined) return this.remove(key);
    this.#replace(key, channelFacts(channel));
  }

  remove(key: string): void {
    if (this.#channels.has(key)) this.#replace(key, undefined);
  }

  upsertSubscription({ metadata: { uid }, status }: Subscription): void {
    const isLost = status?.conditions?.some(({ type, status: is }) => type === "ReferencesResolved" && is === "False") === true;
    if (isLost === this.#lost.has(uid)) return;
    if (isLost) this.#lost.add(uid);
    else this.#lost.delete(uid);
    for (const channel of this.#channelsOf.get(uid) ?? []) this.#dirtyEntries.add(`${channel} ${uid}`);
  }

  removeSubscription(uid: string): void {
    this.#lost.delete(uid);
  }

  flush(generation: number): { readonly streams: Changes<EventStream>; readonly subscribers: Changes<EventSubscriber> } {
    const streams = this.#streams.change(
      this.#dirtyChannels,
      (key) => {
        const stream = this.#channels.get(key)?.stream;
        return stream === undefined ? undefined : { is: stream, standing: stream.id };
      },
      generation,
    );
    const subscribers = this.#entries.change(this.#dirtyEntries, (key) => this.#entry(key), generation);
    this.#dirtyChannels.clear();
    this.#dirtyEntries.clear();
    return { streams, subscribers };
  }

  all(): { readonly streams: readonly EventStream[]; readonly subscribers: readonly EventSubscriber[] } {
    return { streams: this.#streams.all(), subscribers: this.#entries.all() };
  }

  standing(key: string, acknowledged: number): ChannelStanding | undefined {
    const uid = this.#streams.standing(key, acknowledged);
    if (uid === undefined) return undefined;
    const known = [...(this.#channels.get(key)?.subscribers.keys() ?? [])].flatMap((subscription) => {
      const standing = this.#entries.standing(`${key} ${subscription}`, acknowledged);
      return standing === undefined ? [] : [[subscription, standing] as const];
    });
    return { uid, subscribers: new Map(known) };
  }

  /** Keys of channels of which something came into force. */
  settled(after: number, upTo: number): string[] {
    const entries = this.#entries.settled(after, upTo).map((key) => key.slice(0, key.indexOf(" ")));
    return [...new Set([...this.#streams.settled(after, upTo), ...entries])];
  }

  #replace(key: string, facts: ChannelFacts | undefined): void {
    const before = this.#channels.get(key)?.subscribers.keys() ?? [];
    for (const uid of before) {
      this.#dirtyEntries.add(`${key} ${uid}`);
      const channels = this.#channelsOf.get(uid);
      channels?.delete(key);
      if (channels?.size === 0) this.#channelsOf.delete(uid);
    }
    for (const uid of facts?.subscribers.keys() ?? []) {
      this.#dirtyEntries.add(`${key} ${uid}`);
      this.#channelsOf.set(uid, (this.#channelsOf.get(uid) ?? new Set()).add(key));
    }
    if (facts === undefined) this.#channels.delete(key);
    else this.#channels.set(key, facts);
    this.#dirtyChannels.add(key);
  }

  #entry(key: string): { readonly is: EventSubscriber; readonly standing: SubscriberStanding } | undefined {
    const [channel = "", uid = ""] = key.split(" ");
    const entry = this.#channels.get(channel)?.subscribers.get(uid);
    if (entry === undefined || !this.#lost.has(uid)) return entry;
    const { target: _target, ...is } = entry.is;
    const { subscriberUri: _uri, ...standing } = entry.standing;
    return { is, standing };
  }
}

function channelFacts(channel: InMemoryChannel): ChannelFacts {
  const { namespace = "", name, uid, annotations } = channel.metadata;
  const host = `${channelServiceName(name)}.${namespace}.svc.${CLUSTER_DOMAIN}`;
  const entries = (channel.spec.subscribers ?? []).flatMap((entry) =>
    UID.test(entry.uid ?? "") ? [[entry.uid ?? "", subscriberOf(channel, entry)] as const] : [],
  );
  // What changes in a channel is who subscribes: the stream stays in force meanwhile.
  const stream: EventStream = { id: uid, kind: "Channel", namespace, name, host, version: 1, ...annotated(annotations) };
  return { stream, subscribers: new Map(entries) };
}

/** Its delivery is whole: the Subscription's own, or what its controller took from the channel (C17). */
function subscriberOf(channel: InMemoryChannel, entry: ChannelSubscriber): { readonly is: EventSubscriber; readonly standing: SubscriberStanding } {
  const { metadata } = channel;
  const { uid = "", name = "", generation = 0, delivery = {} } = entry;
  const called = targetOf(entry.subscriberUri, entry.subscriberCACerts);
  const answered = targetOf(entry.replyUri, entry.replyCACerts);
  const deadLetter = targetOf(delivery.deadLetterSink?.uri, delivery.deadLetterSink?.CACerts);
  // Nobody to call: events themselves go where answers would.
  const target = called ?? answered;
  return {
    is: {
      id: `${metadata.uid}.${uid}`,
      stream: metadata.uid,
      namespace: metadata.namespace ?? "",
      name,
      version: generation,
      selection: { attributes: {}, filters: [] },
      ...(target === undefined ? {} : { target }),
      ...(called === undefined || answered === undefined ? {} : { reply: { to: "url", ...answered } }),
      ...(deadLetter === undefined ? {} : { deadLetter }),
      rules: deliveryRules(delivery, undefined),
      order: orderOf(metadata.annotations),
    },
    standing: {
      generation,
      ...(called === undefined ? {} : { subscriberUri: called.url }),
      ...(answered === undefined ? {} : { replyUri: answered.url }),
      ...(deadLetter === undefined ? {} : { deadLetterSinkUri: deadLetter.url }),
    },
  };
}
