// Control thread ↔ events thread: streams of events and their subscribers, in batches with a generation (decisions 4 and 48).
import type { StatusReason } from "#core";
import type { EventsQuestion } from "./event-history.ts";
import type { MetricFamily } from "./metric-families.ts";
import type { PingsDelta } from "./ping-sources.ts";
import type { SourceEvent, SourceEventEnd } from "./source-events.ts";
import type { TracedEvent } from "./traced-events.ts";

/** Where events are sent. */
export interface EventTarget {
  /** Absolute, http or https. */
  readonly url: string;
  /** PEM of the authorities that its certificate is checked with; absent: the system's. */
  readonly caCerts?: string;
}

/** Values that a filter compares: by attribute name. */
export type AttributeValues = Readonly<Record<string, string>>;

/** One element of a Trigger's `filters`, or of a list within one: exactly one member is set. */
export interface EventFilter {
  readonly all?: readonly EventFilter[];
  readonly any?: readonly EventFilter[];
  readonly not?: EventFilter;
  readonly exact?: AttributeValues;
  readonly prefix?: AttributeValues;
  readonly suffix?: AttributeValues;
  readonly cesql?: string;
}

/** Which events of a stream a subscriber gets. */
export interface EventSelection {
  /** The older form: used when `filters` is empty. */
  readonly attributes: AttributeValues;
  /** All must pass. */
  readonly filters: readonly EventFilter[];
}

/** A delivery spec with every default filled in. */
export interface DeliveryRules {
  /** Attempts after the first one. */
  readonly retries: number;
  readonly backoff: "linear" | "exponential";
  readonly backoffMs: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Most that a `Retry-After` may ask for; absent: it is not looked at. */
  readonly retryAfterMaxMs?: number;
  /** In which form events are sent; absent: in the one they came in. */
  readonly format?: "json" | "binary";
}

/** What may be under way at a time: anything, one event of each key, or one event. */
export type DeliveryOrder = "none" | "key" | "whole";

/** A Broker or a Channel. */
export interface EventStream {
  /** The uid of its object: names its records in the log. */
  readonly id: string;
  readonly kind: "Broker" | "Channel";
  readonly namespace: string;
  readonly name: string;
  /** Of a Channel: the name at whose `/` it takes events. */
  readonly host?: string;
  /** Counts what is written of its object; told back once it is in force. */
  readonly version: number;
  /** An event whose source and id came within this time is taken for the same. Absent: each is another. */
  readonly deduplicateMs?: number;
  /** At the log's size its oldest events go, delivered or not. Absent: new ones are refused. */
  readonly atLimit?: "dropOldest";
}

/** What becomes of a subscriber's answer that is an event. */
export type ReplyTarget = { readonly to: "stream"; readonly stream: string } | ({ readonly to: "url" } & EventTarget);

/** A Trigger or a Subscription. */
export interface EventSubscriber {
  /** Names its cursor in the log: the uid of a Trigger; of a Subscription, the uid of its channel, a dot, and its own. */
  readonly id: string;
  /** The uid of its stream. */
  readonly stream: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  readonly selection: EventSelection;
  /** Absent: it is not known now. Its events wait; a subscriber that never had one gets none of before. */
  readonly target?: EventTarget;
  /** Absent: answers are not looked at. */
  readonly reply?: ReplyTarget;
  readonly deadLetter?: EventTarget;
  readonly rules: DeliveryRules;
  readonly order: DeliveryOrder;
}

/** A batch of changes. Entries replace those of the same id as a whole. */
export interface EventsDelta {
  readonly type: "events";
  /** Grows with each batch; acknowledged once the batch is in force. */
  readonly generation: number;
  /** The first batch after the thread's start: what is not in it does not exist. */
  readonly reset: boolean;
  readonly streams: readonly EventStream[];
  readonly streamsRemoved: readonly string[];
  readonly subscribers: readonly EventSubscriber[];
  readonly subscribersRemoved: readonly string[];
}

/** What an events thread is started with. */
export interface EventsStart {
  /** Folder of the log. */
  readonly logFolder: string;
  /** File that tells how far PingSources are. */
  readonly pingsFile: string;
  /** What it may take of the disk. */
  readonly logBytesMax: number;
  /** Where the gateway serves names inside the cluster. */
  readonly gateway: { readonly host: string; readonly port: number };
  /** Ends the names that the gateway serves: `svc.cluster.local`. */
  readonly localSuffix: string;
  /** Before `/NAMESPACE/NAME`: the address of Brokers. */
  readonly brokersUrl: string;
  /** The port of its listener on loopback; 0: any. */
  readonly port: number;
}

/** An event of a type and a source that was not told of lately (feature `eventtype-auto-create`). */
export interface SightedEvent {
  /** Where it was taken, or whose subscriber answered with it. */
  readonly at: "Broker" | "Channel" | "Trigger" | "Subscription";
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly source: string;
  readonly specVersion: string;
  readonly schema?: string;
}

export type ControlToEvents =
  | EventsDelta
  | PingsDelta
  | SourceEvent
  | { readonly type: "dropSourceEvent"; readonly id: number }
  /** Whether events that come by are told of; a new thread tells of none. */
  | { readonly type: "sightings"; readonly wanted: boolean }
  /** Share of events that are traced, 0 … 1; a new thread traces none. */
  | { readonly type: "tracing"; readonly rate: number }
  | { readonly type: "end" }
  /** Answered with what was measured so far. */
  | { readonly type: "metrics"; readonly id: number }
  /** Answered with lines and an end. */
  | { readonly type: "ask"; readonly ask: number; readonly question: EventsQuestion }
  /** Nobody listens to the answer any more. */
  | { readonly type: "enough"; readonly ask: number };

export type EventsToControl =
  | { readonly type: "told"; readonly ask: number; readonly line: unknown }
  | { readonly type: "answered"; readonly ask: number; readonly failure?: { readonly reason: StatusReason; readonly message: string } }
  /** Events are taken at this port of loopback. */
  | { readonly type: "listening"; readonly port: number }
  /** All batches up to this one are in force: streams take events, subscribers get theirs. */
  | { readonly type: "ack"; readonly generation: number }
  /** All batches of PingSources up to this one are in force. */
  | { readonly type: "pingsAck"; readonly generation: number }
  | SourceEventEnd
  | { readonly type: "metrics"; readonly id: number; readonly families: readonly MetricFamily[] }
  /** Sampled events, and how many found no room. */
  | { readonly type: "traces"; readonly events: readonly TracedEvent[]; readonly dropped: number }
  | { readonly type: "seen"; readonly events: readonly SightedEvent[] }
  | { readonly type: "log"; readonly level: "info" | "warn" | "error"; readonly message: string; readonly fields: Readonly<Record<string, unknown>> };
