// Traces of events: which are sampled, how a span's context goes along with its event, and what control is told. While nothing is traced it does nothing.
import type { Clock, Rng } from "#core";
import type { EventStream, EventSubscriber, TracedEvent } from "#protocol";
import { newSpanId, parseTraceParent, sampledTrace, TraceOutbox, traceParentText } from "#telemetry";
import { canonical } from "../cloudevents/event.ts";
import type { Headers } from "../cloudevents/http-message.ts";
import type { Attributes } from "../hops.ts";
import type { Intaken } from "../ingress/take-events.ts";
import type { AttemptNote } from "../port.ts";
import type { StoredEvent } from "../stored-event.ts";
import { streamDestination, subscriberDestination } from "./destination.ts";

/** A span that has begun. */
export type EventTrace = Pick<TracedEvent, "traceId" | "parentId" | "spanId" | "traceState">;

/** Events with the contexts of their spans, in the same order; undefined: that one is not sampled. */
export interface Taking {
  readonly events: readonly StoredEvent[];
  readonly traces: readonly (EventTrace | undefined)[];
}

export interface EventTracerOptions {
  readonly tell: (events: readonly TracedEvent[], dropped: number) => void;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** What was gathered goes out so long after the first of it. */
const GATHER_MS = 1_000;
/** Texts of an event that go into spans are cut here; a longer `tracestate` is dropped, as W3C allows. */
const TEXT_MAX = 1_024;
const STATE_MAX = 512;

export class EventTracer {
  readonly #options: EventTracerOptions;
  readonly #outbox: TraceOutbox<TracedEvent>;
  readonly #ending = new AbortController();
  #rate = 0;
  #dropped = 0;
  #waits = false;

  constructor(options: EventTracerOptions) {
    this.#options = options;
    this.#outbox = new TraceOutbox((events) => {
      options.tell(events, this.#dropped);
      this.#dropped = 0;
    });
  }

  /** From the next event on. */
  apply(rate: number): void {
    this.#rate = rate;
    this.#outbox.gather();
  }

  /** Before events are taken. Their parent is the request's, else the event's own; answers of subscribers, which no request brings, follow their delivery. */
  taking(events: readonly StoredEvent[], request: Headers | undefined): Taking | undefined {
    if (this.#rate === 0) return undefined;
    const traces = events.map((event) => (request === undefined ? this.#child(event.headers) : this.#first(event, request)));
    if (traces.every((trace) => trace === undefined)) return undefined;
    return { traces, events: events.map((event, index) => withContext(event, traces[index])) };
  }

  taken(stream: EventStream, { events, traces }: Taking, { status, tookMs }: Intaken): void {
    const endMs = this.#options.clock.wallMs();
    for (const [index, trace] of traces.entries()) {
      if (trace === undefined) continue;
      const attributes = events[index]?.attributes ?? new Map<string, string>();
      this.#tell({ ...trace, ...about(stream, attributes), destination: streamDestination(stream), startMs: endMs - tookMs, endMs, status });
    }
  }

  /** Before an attempt: the span of its own, when the event was sampled as it was taken. */
  sending(event: StoredEvent): EventTrace | undefined {
    return this.#rate === 0 ? undefined : this.#child(event.headers);
  }

  sent(
    trace: EventTrace,
    { stream, subscriber }: { readonly stream: EventStream; readonly subscriber: EventSubscriber },
    { note, attributes }: { readonly note: AttemptNote; readonly attributes: Attributes },
  ): void {
    const { leg, attempt, atMs, tookMs, status = 0 } = note;
    const url = (leg === "deadLetter" ? subscriber.deadLetter : subscriber.target)?.url ?? "";
    const destination = subscriberDestination(stream, subscriber);
    this.#tell({ ...trace, ...about(stream, attributes), destination, startMs: atMs, endMs: atMs + tookMs, status, sent: { url: cut(url), leg, attempt } });
  }

  /** What was gathered goes out. */
  end(): void {
    this.#ending.abort();
    this.#outbox.gather();
  }

  #first(event: StoredEvent, request: Headers): EventTrace | undefined {
    const { rng } = this.#options;
    const own = (name: string): string => canonical(event.attributes.get(name) ?? "");
    const ofRequest = parseTraceParent(request["traceparent"] ?? "");
    const parent = ofRequest ?? parseTraceParent(own("traceparent"));
    const trace = sampledTrace({ rate: this.#rate, rng }, parent);
    if (trace === undefined) return undefined;
    const state = ofRequest === undefined ? own("tracestate") : (request["tracestate"] ?? "");
    return { ...trace, spanId: newSpanId(rng), traceState: parent === undefined || state.length > STATE_MAX ? "" : state };
  }

  /** Only spans of ours are in the headers that an event is kept with. */
  #child(headers: Headers): EventTrace | undefined {
    const parent = parseTraceParent(headers["traceparent"] ?? "");
    if (parent === undefined) return undefined;
    return { traceId: parent.traceId, parentId: parent.spanId, spanId: newSpanId(this.#options.rng), traceState: headers["tracestate"] ?? "" };
  }

  #tell(traced: TracedEvent): void {
    if (this.#outbox.isFull) this.#dropped++;
    else this.#outbox.add(traced);
    if (this.#waits || this.#ending.signal.aborted) return;
    this.#waits = true;
    const passed = (): void => {
      this.#waits = false;
      this.#outbox.gather();
    };
    this.#options.clock.sleep(GATHER_MS, this.#ending.signal).then(passed, () => undefined);
  }
}

/** The event as it goes on from a span: in the headers that go with it, its attributes stay as they are. */
export function withContext(event: StoredEvent, trace: EventTrace | undefined): StoredEvent {
  return trace === undefined ? event : { ...event, headers: { ...event.headers, ...contextHeaders(trace) } };
}

function contextHeaders(trace: EventTrace): Readonly<Record<string, string>> {
  const { traceState } = trace;
  return { traceparent: traceParentText(trace), ...(traceState === "" ? {} : { tracestate: traceState }) };
}

function about({ kind, namespace, name }: EventStream, attributes: Attributes): Pick<TracedEvent, "at" | "event"> {
  const text = (attribute: string): string => cut(canonical(attributes.get(attribute) ?? ""));
  const event = { id: text("id"), type: text("type"), source: text("source"), subject: text("subject"), specVersion: text("specversion") };
  return { at: { kind, namespace, name }, event };
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) : text;
}
