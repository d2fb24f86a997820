// From Brokers, Triggers and channels to what the events thread does: takes objects as they change, gives deltas, follows acknowledgements.
import { eventing, type Broker, type DeliverySpec, type InMemoryChannel, type Subscription, type Trigger } from "#kinds";
import type { EventsDelta, EventStream, EventSubscriber } from "#protocol";
import { annotated } from "./annotated.ts";
import { ChannelTable, type ChannelStanding } from "./channel-table.ts";
import { deliveryRules } from "./delivery-rules.ts";
import { orderOf } from "./order.ts";
import { TargetCounts } from "./target-counts.ts";
import { targetOf } from "./target.ts";
import { Told, type ToldEntry } from "./told.ts";

/** What is in force of a Broker or a Trigger; its controller compares it with what should be. */
export interface EventStanding {
  readonly uid: string;
  /** Generation of the spec. */
  readonly generation: number;
  readonly subscriberUri?: string;
  readonly subscriberCaCerts?: string;
  readonly deadLetterSinkUri?: string;
}

/** Keys (`namespace/name`) of what is in force now and was not, or the other way round. */
export interface EventsSettled {
  readonly brokers: readonly string[];
  readonly triggers: readonly string[];
  readonly channels: readonly string[];
}

type Entry<T extends { readonly id: string }> = Omit<ToldEntry<T, EventStanding>, "generation">;

interface BrokerFacts {
  readonly uid: string;
  readonly generation: number;
  readonly delivery: DeliverySpec | undefined;
  readonly more: Pick<EventStream, "atLimit" | "deduplicateMs">;
}

interface TriggerFacts {
  readonly broker: string;
  readonly is: Omit<EventSubscriber, "stream" | "reply" | "rules">;
  readonly delivery: DeliverySpec | undefined;
}

const NOTHING: EventsSettled = { brokers: [], triggers: [], channels: [] };

/** Cost goes by the change: `flush` plans what is dirty. Keys are `namespace/name`. */
export class EventTable {
  readonly #brokers = new Map<string, BrokerFacts>();
  readonly #triggers = new Map<string, TriggerFacts>();
  /** Keys of Triggers by the key of their Broker. */
  readonly #triggersOf = new Map<string, Set<string>>();
  readonly #dirtyBrokers = new Set<string>();
  readonly #dirtyTriggers = new Set<string>();
  /** What the thread was told, by key. */
  readonly #targets = new TargetCounts();
  readonly #streams = new Told<EventStream, EventStanding>();
  readonly #subscribers = new Told<EventSubscriber, EventStanding>(this.#targets.changed);
  readonly #channels = new ChannelTable(this.#targets);
  #generation = 0;
  /** Every batch up to it is in force; -1: no thread has told yet. */
  #acknowledged = -1;

  /** Whether anything is there to do for an events thread. */
  get isEmpty(): boolean {
    return this.#streams.size === 0 && this.#channels.isEmpty;
  }

  upsertBroker(broker: Broker): void {
    const key = keyOf(broker);
    const isOurs = broker.metadata.annotations?.[eventing.brokerClass] === eventing.mtClass && broker.metadata.deletionTimestamp === undefined;
    if (!isOurs) return this.removeBroker(key);
    const { uid, generation = 0 } = broker.metadata;
    const more = annotated(broker.metadata.annotations);
    const known = this.#brokers.get(key);
    const isSame = known?.more.atLimit === more.atLimit && known?.more.deduplicateMs === more.deduplicateMs;
    if (isSame && known?.uid === uid && known.generation === generation) return;
    this.#brokers.set(key, { uid, generation, delivery: broker.spec.delivery, more });
    this.#touch(key);
  }

  removeBroker(key: string): void {
    if (this.#brokers.delete(key)) this.#touch(key);
  }

  upsertTrigger(trigger: Trigger): void {
    const key = keyOf(trigger);
    if (trigger.metadata.deletionTimestamp !== undefined) return this.removeTrigger(key);
    const facts = triggerFacts(trigger);
    const { broker } = facts;
    const before = this.#triggers.get(key);
    if (before !== undefined && before.broker !== broker) this.removeTrigger(key);
    this.#triggers.set(key, facts);
    const siblings = this.#triggersOf.get(broker);
    if (siblings === undefined) this.#triggersOf.set(broker, new Set([key]));
    else siblings.add(key);
    this.#dirtyTriggers.add(key);
  }

  removeTrigger(key: string): void {
    const known = this.#triggers.get(key);
    if (known === undefined) return;
    this.#triggers.delete(key);
    const siblings = this.#triggersOf.get(known.broker);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#triggersOf.delete(known.broker);
    this.#dirtyTriggers.add(key);
  }

  upsertChannel(channel: InMemoryChannel): void {
    this.#channels.upsert(channel);
  }

  removeChannel(key: string): void {
    this.#channels.remove(key);
  }

  /** Whether its references lead somewhere; all else of it is in its channel. */
  upsertSubscription(subscription: Subscription): void {
    this.#channels.upsertSubscription(subscription);
  }

  removeSubscription(uid: string): void {
    this.#channels.removeSubscription(uid);
  }

  /** The next batch with all changes since the last one; undefined when nothing changed. Send it to the thread, if one runs. */
  flush(): EventsDelta | undefined {
    const generation = this.#generation + 1;
    const streams = this.#streams.change(this.#dirtyBrokers, (key) => this.#stream(key), generation);
    const subscribers = this.#subscribers.change(this.#dirtyTriggers, (key) => this.#subscriber(key), generation);
    this.#dirtyBrokers.clear();
    this.#dirtyTriggers.clear();
    const channels = this.#channels.flush(generation);
    const delta: EventsDelta = {
      type: "events",
      generation,
      reset: false,
      streams: [...streams.put, ...channels.streams.put],
      streamsRemoved: [...streams.removed, ...channels.streams.removed],
      subscribers: [...subscribers.put, ...channels.subscribers.put],
      subscribersRemoved: [...subscribers.removed, ...channels.subscribers.removed],
    };
    if (delta.streams.length + delta.streamsRemoved.length + delta.subscribers.length + delta.subscribersRemoved.length === 0) return undefined;
    this.#generation = generation;
    return delta;
  }

  /** A thread (re)started: everything, as its first batch. Nothing is in force before it says so. */
  threadStarted(): EventsDelta {
    this.#acknowledged = -1;
    const channels = this.#channels.all();
    return {
      type: "events",
      generation: this.#generation,
      reset: true,
      streams: [...this.#streams.all(), ...channels.streams],
      streamsRemoved: [],
      subscribers: [...this.#subscribers.all(), ...channels.subscribers],
      subscribersRemoved: [],
    };
  }

  /** It is not there any more: nothing is in force. The keys of what was. */
  threadStopped(): EventsSettled {
    const before = this.#acknowledged;
    this.#acknowledged = -1;
    return this.#settled(-1, before);
  }

  acknowledged(generation: number): EventsSettled {
    const before = this.#acknowledged;
    if (generation <= before) return NOTHING;
    this.#acknowledged = generation;
    return this.#settled(before, generation);
  }

  /** What is in force of the Broker; undefined while nothing is, or not the latest. */
  broker(key: string): EventStanding | undefined {
    return this.#streams.standing(key, this.#acknowledged);
  }

  trigger(key: string): EventStanding | undefined {
    return this.#subscribers.standing(key, this.#acknowledged);
  }

  channel(key: string): ChannelStanding | undefined {
    return this.#channels.standing(key, this.#acknowledged);
  }

  /** By `namespace/name`, a Trigger first, or by uid; as the thread was told. */
  subscriber(text: string): { readonly is: EventSubscriber; readonly kind: "Trigger" | "Subscription" } | undefined {
    const isMeant = ({ id, namespace, name }: EventSubscriber): boolean => id === text || `${namespace}/${name}` === text;
    const trigger = this.#subscribers.all().find(isMeant);
    if (trigger !== undefined) return { is: trigger, kind: "Trigger" };
    const subscription = this.#channels.all().subscribers.find(isMeant);
    return subscription === undefined ? undefined : { is: subscription, kind: "Subscription" };
  }

  stream({ kind, namespace, name }: Pick<EventStream, "kind" | "namespace" | "name">): EventStream | undefined {
    const all = kind === "Broker" ? this.#streams.all() : this.#channels.all().streams;
    return all.find((one) => one.namespace === namespace && one.name === name);
  }

  /** URLs that events are sent to, each once. */
  targets(): Iterable<string> {
    return this.#targets.urls();
  }

  /** Names at which channels take events. */
  channelHosts(): string[] {
    return this.#channels.all().streams.flatMap(({ host }) => (host === undefined ? [] : [host]));
  }

  #settled(after: number, upTo: number): EventsSettled {
    return {
      brokers: this.#streams.settled(after, upTo),
      triggers: this.#subscribers.settled(after, upTo),
      channels: this.#channels.settled(after, upTo),
    };
  }

  /** Its Triggers may have other rules now, or no stream any more. */
  #touch(broker: string): void {
    this.#dirtyBrokers.add(broker);
    for (const trigger of this.#triggersOf.get(broker) ?? []) this.#dirtyTriggers.add(trigger);
  }

  #stream(key: string): Entry<EventStream> | undefined {
    const facts = this.#brokers.get(key);
    if (facts === undefined) return undefined;
    const [namespace = "", name = ""] = key.split("/");
    return {
      is: { id: facts.uid, kind: "Broker", namespace, name, version: facts.generation, ...facts.more },
      standing: { uid: facts.uid, generation: facts.generation },
    };
  }

  #subscriber(key: string): Entry<EventSubscriber> | undefined {
    const trigger = this.#triggers.get(key);
    const broker = trigger === undefined ? undefined : this.#brokers.get(trigger.broker);
    if (trigger === undefined || broker === undefined) return undefined;
    const { id, version, target, deadLetter } = trigger.is;
    return {
      is: { ...trigger.is, stream: broker.uid, reply: { to: "stream", stream: broker.uid }, rules: deliveryRules(trigger.delivery, broker.delivery) },
      standing: {
        uid: id,
        generation: version,
        ...(target === undefined ? {} : { subscriberUri: target.url }),
        ...(target?.caCerts === undefined ? {} : { subscriberCaCerts: target.caCerts }),
        ...(deadLetter === undefined ? {} : { deadLetterSinkUri: deadLetter.url }),
      },
    };
  }
}

function triggerFacts(trigger: Trigger): TriggerFacts {
  const { metadata, spec, status = {} } = trigger;
  const target = targetOf(status.subscriberUri, status.subscriberCACerts);
  const deadLetter = targetOf(status.deadLetterSinkUri, status.deadLetterSinkCACerts);
  return {
    broker: brokerKeyOf(trigger),
    delivery: spec.delivery,
    is: {
      id: metadata.uid,
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      version: metadata.generation ?? 0,
      selection: { attributes: spec.filter?.attributes ?? {}, filters: spec.filters ?? [] },
      ...(target === undefined ? {} : { target }),
      ...(deadLetter === undefined ? {} : { deadLetter }),
      order: orderOf(metadata.annotations),
    },
  };
}

function brokerKeyOf({ metadata, spec }: Trigger): string {
  return `${spec.brokerRef?.namespace ?? metadata.namespace ?? ""}/${spec.brokerRef?.name ?? spec.broker ?? ""}`;
}

function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
