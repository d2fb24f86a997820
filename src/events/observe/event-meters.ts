// What is measured of events in this thread: how long they took to the log and to each subscriber, how that ended, and how far subscribers are.
import { DURATION_BOUNDS } from "#telemetry";
import type { EventStream, EventSubscriber, MetricFamily } from "#protocol";
import { Budget } from "../budget.ts";
import { canonical } from "../cloudevents/event.ts";
import type { NodeView } from "../history/view.ts";
import type { Attributes } from "../hops.ts";
import type { Intaken } from "../ingress/take-events.ts";
import type { AttemptNote } from "../port.ts";
import { DurationSeries, OVERFLOW, SERIES_OF_ALL_MAX } from "./duration-series.ts";
import { ownLabels, streamLabels, subscriberLabels } from "./destination.ts";
import { countFamilies, durationFamily, gaugeFamilies, type Count } from "./families.ts";
import { Standings } from "./standings.ts";

/** Hears of what happens; must not throw, and not wait. */
export interface EventEar {
  took(stream: EventStream, events: readonly Attributes[], how: Intaken): void;
  attempted(at: { readonly stream: EventStream; readonly subscriber: EventSubscriber }, note: AttemptNote, attributes: Attributes): void;
}

export interface LogSize {
  readonly bytes: number;
  readonly bytesMax: number;
}

/** Brokers, channels and subscribers that are measured each for itself (OpenTelemetry's limit for one instrument); those beyond are measured together. */
export const DESTINATIONS_MAX = 2_000;
/** Nobody answered: as Knative counts it. */
const NO_ANSWER = 500;

/** What all destinations share of a histogram. */
interface Budgets {
  readonly dispatch: Budget;
  readonly process: Budget;
}

/** Of one destination. */
class Meter {
  readonly dispatch: DurationSeries;
  readonly process: DurationSeries;
  readonly own: Readonly<Record<string, string>>;
  taken = 0;
  duplicates = 0;
  /** By reason. */
  readonly refused = new Map<string, number>();
  /** Attempts by what followed. */
  readonly attempts = new Map<string, number>();

  constructor(labels: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>, budgets: Budgets) {
    this.dispatch = new DurationSeries(labels, budgets.dispatch);
    this.process = new DurationSeries(labels, budgets.process);
    this.own = own;
  }

  end(): void {
    this.dispatch.end();
    this.process.end();
  }
}

export class EventMeters implements EventEar {
  /** By the id of a stream or a subscriber. */
  readonly #meters = new Map<string, Meter>();
  readonly #budgets: Budgets = { dispatch: new Budget(SERIES_OF_ALL_MAX), process: new Budget(SERIES_OF_ALL_MAX) };
  readonly #others = new Meter({ [OVERFLOW]: "true" }, { [OVERFLOW]: "true" }, this.#budgets);
  readonly #standings = new Standings();
  readonly #max: number;

  constructor(max = DESTINATIONS_MAX) {
    this.#max = max;
  }

  took(stream: EventStream, events: readonly Attributes[], { status, refused, duplicates, tookMs }: Intaken): void {
    const meter = this.#meters.get(stream.id) ?? this.#keep(stream.id, () => new Meter(streamLabels(stream), ownLabels(stream.kind, stream), this.#budgets));
    if (refused === undefined) meter.taken += events.length - duplicates;
    else add(meter.refused, refused, events.length);
    meter.duplicates += duplicates;
    // Knative does not measure what it refuses by itself, and what channels take only by who gets it.
    if (stream.kind !== "Broker" || status === 400) return;
    for (const attributes of events) meter.dispatch.observe({ type: typeOf(attributes), status }, tookMs);
  }

  attempted(
    { stream, subscriber }: { readonly stream: EventStream; readonly subscriber: EventSubscriber },
    { leg, attempt, atMs, tookMs, status, next }: AttemptNote,
    attributes: Attributes,
  ): void {
    const make = (): Meter =>
      new Meter(subscriberLabels(stream, subscriber), ownLabels(stream.kind === "Broker" ? "Trigger" : "Subscription", subscriber), this.#budgets);
    const meter = this.#meters.get(subscriber.id) ?? this.#keep(subscriber.id, make);
    const type = typeOf(attributes);
    const how = leg === "deadLetter" ? (status === undefined ? "deadLetterNoAnswer" : "deadLetter") : status === undefined ? "noAnswer" : undefined;
    meter.dispatch.observe({ type, status: status ?? NO_ANSWER, ...(how === undefined ? {} : { how }) }, tookMs);
    add(meter.attempts, next, 1);
    const arrivedMs = leg === "subscriber" && attempt === 1 ? arrivalOf(attributes) : undefined;
    if (arrivedMs !== undefined) meter.process.observe({ type }, Math.max(0, atMs - arrivedMs));
  }

  /** Everything that was measured, of what is there now. Reads the times of events that subscribers are not done with. */
  async families(view: NodeView, { size, nowMs }: { readonly size: LogSize; readonly nowMs: number }, signal: AbortSignal): Promise<readonly MetricFamily[]> {
    this.#forgetOthers(view);
    const standings = await this.#standings.families(view, { nowMs, max: this.#max }, signal);
    const meters = [...this.#meters.values(), this.#others];
    return [
      durationFamily(
        DISPATCH,
        meters.map(({ dispatch }) => dispatch),
      ),
      durationFamily(
        PROCESS,
        meters.map(({ process }) => process),
      ),
      ...countFamilies(meters.flatMap(countsOf)),
      ...gaugeFamilies([
        { name: "eider_events_log_bytes", help: "Octets of the disk that the event log takes.", labels: {}, value: size.bytes },
        { name: "eider_events_log_bytes_max", help: "Octets of the disk that the event log may take.", labels: {}, value: size.bytesMax },
      ]),
      ...standings,
    ];
  }

  #keep(id: string, make: () => Meter): Meter {
    if (this.#meters.size >= this.#max) return this.#others;
    const made = make();
    this.#meters.set(id, made);
    return made;
  }

  /** Those that are no more take their series along. */
  #forgetOthers({ streams, subscribers }: NodeView): void {
    const there = new Set([...streams, ...subscribers].map(({ is }) => is.id));
    for (const [id, meter] of this.#meters) {
      if (there.has(id)) continue;
      meter.end();
      this.#meters.delete(id);
    }
  }
}

const DISPATCH = { name: "kn_eventing_dispatch_duration_seconds", help: "The duration to dispatch the event", bounds: DURATION_BOUNDS };
const PROCESS = { name: "kn_eventing_process_duration_seconds", help: "The duration of processing an event before dispatching it", bounds: DURATION_BOUNDS };
const TAKEN = { name: "eider_events_taken_total", help: "Events that a Broker or a channel took." };
const DUPLICATES = { name: "eider_events_duplicates_total", help: "Events that came again within the time that their Broker or channel remembers." };
const REFUSED = { name: "eider_events_refused_total", help: "Events that a Broker or a channel did not take, by reason." };
const ATTEMPTS = { name: "eider_events_attempts_total", help: "Attempts to deliver events, by what followed; gaveUp: nobody gets the event." };

function countsOf({ own, taken, duplicates, refused, attempts }: Meter): Count[] {
  return [
    ...(taken === 0 ? [] : [{ ...TAKEN, labels: own, value: taken }]),
    ...(duplicates === 0 ? [] : [{ ...DUPLICATES, labels: own, value: duplicates }]),
    ...[...refused].map(([reason, value]) => ({ ...REFUSED, labels: { ...own, reason }, value })),
    ...[...attempts].map(([next, value]) => ({ ...ATTEMPTS, labels: { ...own, next }, value })),
  ];
}

function add(counts: Map<string, number>, what: string, times: number): void {
  counts.set(what, (counts.get(what) ?? 0) + times);
}

function typeOf(attributes: Attributes): string {
  return canonical(attributes.get("type") ?? "");
}

/** As a Broker's ingress wrote it. */
function arrivalOf(attributes: Attributes): number | undefined {
  const ms = Date.parse(canonical(attributes.get("knativearrivaltime") ?? ""));
  return Number.isNaN(ms) ? undefined : ms;
}
