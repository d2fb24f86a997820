// Recorded traffic against other settings. The model: every second brings the requests and the concurrency that were recorded, whatever
// the settings; a pod takes requests `podStartMs` after it is wanted, and goes at once when it is not.
import { newDecider, TICK_MS } from "./decide.ts";
import type { RecordedEvent, Recording } from "./recording.ts";
import { replay } from "./replay.ts";
import { RevisionScaler, type ScalerInput } from "./revision-scaler.ts";
import type { SimulatedSettings } from "./scale-file.ts";

const SECOND_MS = 1_000;
/** Where the recording shows no pod that came up. */
const POD_START_MS = 2_000;
/** Seconds of a recording; files of longer ones come from nowhere. */
const SECONDS_MAX = 7 * 24 * 3_600;

/** One second of a run. */
export interface Moment {
  readonly ready: number;
  /** The decision in force; -1: none yet. */
  readonly desired: number;
  readonly panicking: boolean;
}

export interface Offered {
  readonly concurrency: number;
  readonly requests: number;
}

/** A run in short. */
export interface RunTotals {
  readonly podSeconds: number;
  readonly podsMax: number;
  readonly panicSeconds: number;
  readonly secondsAtZero: number;
  /** By the model: requests of seconds without a pod, and what exceeds containerConcurrency × pods. */
  readonly requestsWaited: number;
  readonly changes: number;
}

export interface Run {
  readonly moments: readonly Moment[];
  readonly totals: RunTotals;
}

export interface Simulation {
  readonly seconds: number;
  readonly requests: number;
  readonly podStartMs: number;
  readonly offered: readonly Offered[];
  readonly recorded: Run;
  readonly simulated: Run;
}

interface Span {
  readonly sinceMs: number;
  readonly seconds: number;
}

function spanOf({ takes }: Recording): Span {
  const sinceMs = takes[0]?.sinceMs ?? 0;
  const untilMs = takes.at(-1)?.events.at(-1)?.atMs ?? sinceMs;
  return { sinceMs, seconds: Math.min(SECONDS_MAX, Math.floor((untilMs - sinceMs) / SECOND_MS) + 1) };
}

const eventsOf = ({ takes }: Recording): readonly RecordedEvent[] => takes.flatMap(({ events }) => events);

function offeredIn(recording: Recording, { sinceMs, seconds }: Span): Offered[] {
  const offered = Array.from({ length: seconds }, () => ({ concurrency: 0, requests: 0 }));
  for (const { input } of eventsOf(recording)) {
    if (input.type !== "load") continue;
    for (let back = 0; back < input.seconds; back++) {
      const at = offered[Math.floor((input.endMs - back * SECOND_MS - sinceMs) / SECOND_MS)];
      if (at === undefined) continue;
      at.concurrency += input.concurrency;
      at.requests += input.requests / input.seconds;
    }
  }
  return offered;
}

/** Holds for each second what was so at its end. */
class Timeline {
  readonly moments: Moment[] = [];
  readonly #span: Span;
  #now: Moment;

  constructor(span: Span, now: Moment) {
    this.#span = span;
    this.#now = now;
  }

  set(nowMs: number, change: Partial<Moment>): void {
    this.until(nowMs);
    this.#now = { ...this.#now, ...change };
  }

  until(nowMs: number): void {
    const whole = Math.min(this.#span.seconds, Math.floor((nowMs - this.#span.sinceMs) / SECOND_MS));
    while (this.moments.length < whole) this.moments.push(this.#now);
  }

  end(): readonly Moment[] {
    while (this.moments.length < this.#span.seconds) this.moments.push(this.#now);
    return this.moments;
  }
}

/** What happened, by replaying it. */
function recordedRun(recording: Recording, span: Span): readonly Moment[] {
  const from = recording.takes[0]?.from;
  const { status, panicSinceMs } = from?.decider ?? { status: { desired: -1 }, panicSinceMs: undefined };
  const line = new Timeline(span, { ready: from?.ready ?? 0, desired: status.desired, panicking: panicSinceMs !== undefined });
  for (const { event, ready, evaluation } of replay(recording)) {
    if (event.input.type === "told") line.set(event.atMs, { ready: ready ?? 0 });
    if (evaluation !== undefined) line.set(event.atMs, { desired: evaluation.desired, panicking: evaluation.panicking });
  }
  return line.end();
}

/** How long pods took, from a decision for more of them to a higher count: the median. */
function podStartOf(moments: readonly Moment[]): number {
  const times: number[] = [];
  let wantedAt: number | undefined;
  moments.forEach(({ ready, desired }, second) => {
    const before = moments[second - 1];
    if (before !== undefined && ready > before.ready && wantedAt !== undefined) {
      times.push((second - wantedAt) * SECOND_MS);
      wantedAt = undefined;
    }
    if (desired > ready) wantedAt ??= second;
    else wantedAt = undefined;
  });
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? POD_START_MS;
}

/** Pods that follow the decisions. */
class SimulatedPods {
  readonly #settings: SimulatedSettings;
  readonly #startMs: number;
  /** When each takes requests. */
  #readyAtMs: number[];
  #zeroSinceMs: number | undefined;
  #activeSinceMs: number;

  constructor(ready: number, settings: SimulatedSettings, its: { readonly startMs: number; readonly nowMs: number }) {
    const { startMs, nowMs } = its;
    this.#settings = settings;
    this.#activeSinceMs = nowMs;
    this.#startMs = startMs;
    this.#readyAtMs = Array.from({ length: ready }, () => -Infinity);
  }

  follow(desired: number, nowMs: number): void {
    if (desired < 0) return;
    const { bounds, podRetentionMs, revision } = this.#settings;
    let want = Math.max(desired, bounds.min);
    if (bounds.max > 0) want = Math.min(want, bounds.max);
    this.#zeroSinceMs = want === 0 ? (this.#zeroSinceMs ?? nowMs) : undefined;
    // The last pod stays for the retention period, and until the revision has been up for a stable window.
    const isDue = nowMs - (this.#zeroSinceMs ?? nowMs) >= podRetentionMs && nowMs - this.#activeSinceMs >= revision.decider.stableWindowMs;
    if (want === 0 && this.#readyAtMs.length > 0 && !isDue) want = 1;
    if (want > 0 && this.#readyAtMs.length === 0) this.#activeSinceMs = nowMs;
    if (want < this.#readyAtMs.length) this.#readyAtMs = this.#readyAtMs.slice(0, want);
    while (this.#readyAtMs.length < want) this.#readyAtMs.push(nowMs + this.#startMs);
  }

  ready(nowMs: number): number {
    return this.#readyAtMs.filter((atMs) => atMs <= nowMs).length;
  }
}

/** The inputs that came from outside, with ticks of its own: a rest with other settings is another one. */
function* inputsOf(recording: Recording, span: Span): Iterable<{ readonly atMs: number; readonly input: ScalerInput }> {
  const events = eventsOf(recording);
  let tickMs = events.find(({ input }) => input.type === "tick")?.atMs ?? span.sinceMs + TICK_MS;
  let gateways = true;
  for (const { atMs, input } of events) {
    for (; tickMs <= atMs; tickMs += TICK_MS) yield { atMs: tickMs, input: { type: "tick", gateways } };
    if (input.type === "tick") gateways = input.gateways;
    else yield { atMs, input };
  }
}

function simulatedRun(
  recording: Recording,
  its: { readonly settings: SimulatedSettings; readonly span: Span; readonly podStartMs: number },
): readonly Moment[] {
  const { settings, span, podStartMs } = its;
  const from = recording.takes[0]?.from;
  if (from === undefined) return [];
  const { delay } = newDecider(settings.revision.decider, from.ready, span.sinceMs);
  const scaler = RevisionScaler.from({
    ...from,
    decider: { ...from.decider, delay },
    windows: { ...from.windows, algorithm: settings.revision.metric.algorithm },
  });
  const told = (reachable: boolean, ready: number): ScalerInput => ({
    type: "told",
    settings: { ...settings.revision, decider: { ...settings.revision.decider, reachable } },
    ready,
  });
  let { reachable } = from.settings.decider;
  const pods = new SimulatedPods(from.ready ?? 0, settings, { startMs: podStartMs, nowMs: span.sinceMs });
  const { status, panicSinceMs } = from.decider;
  const line = new Timeline(span, { ready: from.ready ?? 0, desired: status.desired, panicking: panicSinceMs !== undefined });
  scaler.apply(told(reachable, from.ready ?? 0), span.sinceMs);
  for (const { atMs, input } of inputsOf(recording, span)) {
    const ready = pods.ready(atMs);
    const moved = input.type === "told" && input.settings.decider.reachable !== reachable;
    if (moved) ({ reachable } = input.settings.decider);
    if (moved || ready !== scaler.ready) {
      scaler.apply(told(reachable, ready), atMs);
      line.set(atMs, { ready });
    }
    const evaluation = input.type === "told" ? undefined : scaler.apply(input, atMs);
    if (evaluation !== undefined) line.set(atMs, { desired: evaluation.desired, panicking: evaluation.panicking });
    pods.follow(scaler.decider.status.desired, atMs);
  }
  return line.end();
}

/** Of the requests of one second, those that found no place. */
function waitedIn({ concurrency, requests }: Offered, ready: number, containerConcurrency: number): number {
  if (ready === 0) return requests;
  const places = containerConcurrency === 0 ? Infinity : ready * containerConcurrency;
  return concurrency <= places ? 0 : requests * (1 - places / concurrency);
}

function totalsOf(moments: readonly Moment[], offered: readonly Offered[], containerConcurrency: number): RunTotals {
  const sum = (of: (moment: Moment, second: number) => number): number => moments.reduce((total, moment, second) => total + of(moment, second), 0);
  return {
    podSeconds: sum(({ ready }) => ready),
    podsMax: Math.max(0, ...moments.map(({ ready }) => ready)),
    panicSeconds: sum(({ panicking }) => Number(panicking)),
    secondsAtZero: sum(({ ready }) => Number(ready === 0)),
    requestsWaited: Math.round(sum(({ ready }, second) => waitedIn(offered[second] ?? { concurrency: 0, requests: 0 }, ready, containerConcurrency))),
    changes: sum(({ ready }, second) => Number(second > 0 && ready !== moments[second - 1]?.ready)),
  };
}

/** The recording as it happened beside a run under `settings`; undefined settings: the same again, which is the replay itself. */
export function simulate(recording: Recording, its: { readonly containerConcurrency: number; readonly settings: SimulatedSettings | undefined }): Simulation {
  const span = spanOf(recording);
  const offered = offeredIn(recording, span);
  const happened = recordedRun(recording, span);
  const podStartMs = its.settings?.podStartMs ?? podStartOf(happened);
  const simulated = its.settings === undefined ? happened : simulatedRun(recording, { settings: its.settings, span, podStartMs });
  return {
    seconds: span.seconds,
    requests: Math.round(offered.reduce((sum, { requests }) => sum + requests, 0)),
    podStartMs,
    offered,
    recorded: { moments: happened, totals: totalsOf(happened, offered, its.containerConcurrency) },
    simulated: { moments: simulated, totals: totalsOf(simulated, offered, its.settings?.containerConcurrency ?? its.containerConcurrency) },
  };
}
