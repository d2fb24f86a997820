// From Brokers and Triggers to what the events thread does: takes objects as they change, gives deltas, follows acknowledgements.
import { eventing, type Broker, type DeliverySpec, type Trigger } from "#kinds";
import type { DeliveryOrder, EventsDelta, EventStream, EventSubscriber } from "#protocol";
import { deliveryRules } from "./delivery-rules.ts";

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
}

interface Entry<T extends { readonly id: string }> {
  readonly is: T;
  readonly standing: EventStanding;
  /** Of the batch that carries it. */
  readonly generation: number;
}

interface BrokerFacts {
  readonly uid: string;
  readonly generation: number;
  readonly delivery: DeliverySpec | undefined;
  readonly dropsOldest: boolean;
}

interface TriggerFacts {
  readonly broker: string;
  readonly is: Omit<EventSubscriber, "stream" | "reply" | "rules">;
  readonly delivery: DeliverySpec | undefined;
}

/** Annotation of a Trigger: in what order its events are delivered. */
const ORDER = "eider.dev/delivery-order";
/** Annotation of a Broker: `drop-oldest` when the event log, at its size, drops its oldest events rather than refuse new ones. */
const AT_LIMIT = "eider.dev/at-limit";
const NOTHING: EventsSettled = { brokers: [], triggers: [] };

/** Cost goes by the change: `flush` plans what is dirty. Keys are `namespace/name`. */
export class EventTable {
  readonly #brokers = new Map<string, BrokerFacts>();
  readonly #triggers = new Map<string, TriggerFacts>();
  /** Keys of Triggers by the key of their Broker. */
  readonly #triggersOf = new Map<string, Set<string>>();
  readonly #dirtyBrokers = new Set<string>();
  readonly #dirtyTriggers = new Set<string>();
  /** What the thread was told, by key. */
  readonly #streams = new Map<string, Entry<EventStream>>();
  readonly #subscribers = new Map<string, Entry<EventSubscriber>>();
  #generation = 0;
  /** Every batch up to it is in force; -1: no thread has told yet. */
  #acknowledged = -1;

  /** Whether anything is there to do for an events thread. */
  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  upsertBroker(broker: Broker): void {
    const key = keyOf(broker);
    const isOurs = broker.metadata.annotations?.[eventing.brokerClass] === eventing.mtClass && broker.metadata.deletionTimestamp === undefined;
    if (!isOurs) return this.removeBroker(key);
    const { uid, generation = 0 } = broker.metadata;
    const dropsOldest = broker.metadata.annotations?.[AT_LIMIT] === "drop-oldest";
    const known = this.#brokers.get(key);
    if (known?.uid === uid && known.generation === generation && known.dropsOldest === dropsOldest) return;
    this.#brokers.set(key, { uid, generation, delivery: broker.spec.delivery, dropsOldest });
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

  /** The next batch with all changes since the last one; undefined when nothing changed. Send it to the thread, if one runs. */
  flush(): EventsDelta | undefined {
    const generation = this.#generation + 1;
    const streams = changesOf(this.#dirtyBrokers, this.#streams, (key) => this.#stream(key, generation));
    const subscribers = changesOf(this.#dirtyTriggers, this.#subscribers, (key) => this.#subscriber(key, generation));
    this.#dirtyBrokers.clear();
    this.#dirtyTriggers.clear();
    if (streams.put.length + streams.removed.length + subscribers.put.length + subscribers.removed.length === 0) return undefined;
    this.#generation = generation;
    return {
      type: "events",
      generation,
      reset: false,
      streams: streams.put,
      streamsRemoved: streams.removed,
      subscribers: subscribers.put,
      subscribersRemoved: subscribers.removed,
    };
  }

  /** A thread (re)started: everything, as its first batch. Nothing is in force before it says so. */
  threadStarted(): EventsDelta {
    this.#acknowledged = -1;
    return {
      type: "events",
      generation: this.#generation,
      reset: true,
      streams: [...this.#streams.values()].map(({ is }) => is),
      streamsRemoved: [],
      subscribers: [...this.#subscribers.values()].map(({ is }) => is),
      subscribersRemoved: [],
    };
  }

  /** It is not there any more: nothing is in force. The keys of what was. */
  threadStopped(): EventsSettled {
    const before = this.#acknowledged;
    this.#acknowledged = -1;
    const lost = (entries: ReadonlyMap<string, { readonly generation: number }>): string[] =>
      [...entries].filter(([, { generation }]) => generation <= before).map(([key]) => key);
    return { brokers: lost(this.#streams), triggers: lost(this.#subscribers) };
  }

  acknowledged(generation: number): EventsSettled {
    const before = this.#acknowledged;
    if (generation <= before) return NOTHING;
    this.#acknowledged = generation;
    const settled = (entries: ReadonlyMap<string, { readonly generation: number }>): string[] =>
      [...entries].filter(([, entry]) => entry.generation > before && entry.generation <= generation).map(([key]) => key);
    return { brokers: settled(this.#streams), triggers: settled(this.#subscribers) };
  }

  /** What is in force of the Broker; undefined while nothing is, or not the latest. */
  broker(key: string): EventStanding | undefined {
    return this.#standing(this.#streams.get(key));
  }

  trigger(key: string): EventStanding | undefined {
    return this.#standing(this.#subscribers.get(key));
  }

  /** URLs that events are sent to. */
  targets(): Iterable<string> {
    return [...this.#subscribers.values()].flatMap(({ is }) => [is.target, is.deadLetter].flatMap((target) => (target === undefined ? [] : [target.url])));
  }

  #standing(entry: Entry<{ readonly id: string }> | undefined): EventStanding | undefined {
    return entry === undefined || entry.generation > this.#acknowledged ? undefined : entry.standing;
  }

  /** Its Triggers may have other rules now, or no stream any more. */
  #touch(broker: string): void {
    this.#dirtyBrokers.add(broker);
    for (const trigger of this.#triggersOf.get(broker) ?? []) this.#dirtyTriggers.add(trigger);
  }

  #stream(key: string, generation: number): Entry<EventStream> | undefined {
    const facts = this.#brokers.get(key);
    if (facts === undefined) return undefined;
    const [namespace = "", name = ""] = key.split("/");
    return {
      is: { id: facts.uid, kind: "Broker", namespace, name, version: facts.generation, ...(facts.dropsOldest ? { atLimit: "dropOldest" } : {}) },
      standing: { uid: facts.uid, generation: facts.generation },
      generation,
    };
  }

  #subscriber(key: string, generation: number): Entry<EventSubscriber> | undefined {
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
      generation,
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
      order: orderOf(metadata.annotations?.[ORDER]),
    },
  };
}

/** Writes what is dirty into `told`; what is as it was told stays out. An object of another uid takes the place of one that is removed. */
function changesOf<T extends { readonly id: string }>(
  dirty: ReadonlySet<string>,
  told: Map<string, Entry<T>>,
  plan: (key: string) => Entry<T> | undefined,
): { readonly put: T[]; readonly removed: string[] } {
  const put: T[] = [];
  const removed: string[] = [];
  for (const key of dirty) {
    const before = told.get(key);
    const entry = plan(key);
    if (before !== undefined && before.is.id !== entry?.is.id) removed.push(before.is.id);
    if (entry === undefined) told.delete(key);
    else if (before === undefined || JSON.stringify(before.is) !== JSON.stringify(entry.is)) {
      told.set(key, entry);
      put.push(entry.is);
    }
  }
  return { put, removed };
}

function targetOf(url: string | undefined, caCerts: string | undefined): EventSubscriber["target"] {
  if (url === undefined || url === "") return undefined;
  return { url, ...(caCerts === undefined || caCerts === "" ? {} : { caCerts }) };
}

function orderOf(annotation: string | undefined): DeliveryOrder {
  return annotation === "key" || annotation === "whole" ? annotation : "none";
}

function brokerKeyOf({ metadata, spec }: Trigger): string {
  return `${spec.brokerRef?.namespace ?? metadata.namespace ?? ""}/${spec.brokerRef?.name ?? spec.broker ?? ""}`;
}

function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
