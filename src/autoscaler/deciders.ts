// All revisions together: their windows fed by the gateways' reports, their deciders evaluated every two seconds while anything moves.
import { type Clock, Parking, silentLogger, type Logger } from "#core";
import type { BackendLoad, GatewayToControl } from "#protocol";
import { Ahead } from "./ahead.ts";
import { type DeciderStatus, TICK_MS } from "./decide.ts";
import { type Explained, explainedWith, explainRecording } from "./explained.ts";
import { Gateways } from "./gateways.ts";
import { Recordings } from "./recorder.ts";
import type { Recording } from "./recording.ts";
import { RevisionScaler, type LoadInput, type ScalerInput } from "./revision-scaler.ts";
import type { WindowValues } from "./revision-windows.ts";
import type { RevisionSettings, ScalingMetric } from "./settings.ts";

/** What the controller knows about a revision's pods. */
export interface PodCounts {
  /** Of the PodAutoscaler: one made anew under the same name begins anew. */
  readonly uid: string;
  /** Undefined: the count failed, no decision. */
  readonly ready: number | undefined;
  /** Replicas in force before this process knew the revision (a restart): not fewer for one stable window. 0 for a new revision. */
  readonly restored: number;
}

/** The state of a revision for metrics (serving.md 3.7). */
export interface RevisionSnapshot extends DeciderStatus {
  readonly key: string;
  readonly ready: number | undefined;
  readonly metric: ScalingMetric;
  readonly target: number;
  readonly values: WindowValues | undefined;
  readonly panicking: boolean;
}

interface Revision {
  readonly uid: string;
  readonly scaler: RevisionScaler;
  /** Kept also when there is no recording. */
  latest: Explained | undefined;
}

/** Different decisions that are told. */
const EXPLAINED_MAX = 64;
const SECOND_MS = 1_000;
/** A report over a longer period is spread over this many seconds at most. */
const SPREAD_SECONDS_MAX = 5;

/** The decider set. All times are the clock's monotonic ones in whole milliseconds, so a stepped wall clock changes nothing. */
export class Deciders {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #gateways = new Gateways();
  readonly #recordings = new Recordings();
  readonly #ahead = new Ahead();
  readonly #revisions = new Map<string, Revision>();
  readonly #listeners = new Set<(key: string) => void>();
  readonly #parking = new Parking();

  constructor(options: { readonly clock: Clock; readonly logger?: Logger }) {
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Creates or updates the decider of `namespace/revision`, and tells its latest decision. */
  ensure(key: string, settings: RevisionSettings, pods: PodCounts): DeciderStatus {
    if (this.#revisions.get(key)?.uid !== pods.uid) this.remove(key);
    const revision = this.#revisions.get(key) ?? this.#create(key, settings, pods);
    const { scaler } = revision;
    const same = JSON.stringify(scaler.settings) === JSON.stringify(settings);
    if (scaler.ready !== pods.ready || !same) {
      this.#apply(key, revision, { type: "told", settings: same ? scaler.settings : settings, ready: pods.ready });
    }
    return scaler.decider.status;
  }

  remove(key: string): void {
    this.#revisions.delete(key);
    this.#recordings.forget(key);
  }

  /** The latest decision; undefined when there is no such decider. */
  decision(key: string): DeciderStatus | undefined {
    return this.#revisions.get(key)?.scaler.decider.status;
  }

  /** The latest evaluations, oldest first: of the recording, or the very last one when there is none any more. */
  explain(key: string): readonly Explained[] {
    const recording = this.recording(key);
    const explained = recording === undefined ? [] : explainRecording(recording, EXPLAINED_MAX);
    const latest = this.#revisions.get(key)?.latest;
    return explained.length > 0 || latest === undefined ? explained : [latest];
  }

  /** What the revision's decisions came from; undefined when it has been at rest for long, or others needed the room. */
  recording(key: string): Recording | undefined {
    return this.#recordings.get(key);
  }

  /** Calls `listener` with the key after a decision that its PodAutoscaler must see. Returns the unsubscriber. */
  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  *snapshots(): Iterable<RevisionSnapshot> {
    const nowMs = this.#nowMs;
    for (const [key, { scaler }] of this.#revisions) {
      const { scalingMetric: metric, targetValue: target } = scaler.settings.decider;
      const { status, panicSinceMs } = scaler.decider;
      yield { key, ready: scaler.ready, ...status, metric, target, values: scaler.values(nowMs), panicking: panicSinceMs !== undefined };
    }
  }

  /** Takes what a gateway thread says; messages that are not about load are ignored. */
  receive(message: GatewayToControl): void {
    if (message.type === "listening") {
      if (this.#gateways.up(message)) this.#gone(message.thread);
    } else if (message.type === "wake") {
      this.#take(message.backend, { type: "wake", thread: message.thread });
    } else if (message.type === "load") this.#load(message);
  }

  /** A gateway thread has ended: what it had not reported is gone with its requests. */
  gatewayGone(thread: number): void {
    this.#gateways.down(thread);
    this.#gone(thread);
  }

  /** Evaluates every revision that is not at rest. */
  tick(): void {
    const tick = { type: "tick", gateways: this.#gateways.some } as const;
    for (const [key, revision] of this.#revisions) this.#apply(key, revision, tick);
  }

  /** Ticks every two seconds while something moves; sleeps without a timer while all is at rest. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (!signal.aborted) {
      if (this.idle) await this.#parking.stay(signal);
      else {
        await this.#clock.sleep(TICK_MS, signal).catch(() => undefined);
        if (!signal.aborted) this.tick();
      }
    }
  }

  /** True when no revision needs evaluation. */
  get idle(): boolean {
    for (const { scaler } of this.#revisions.values()) if (!scaler.resting) return false;
    return true;
  }

  get #nowMs(): number {
    return Math.floor(this.#clock.monotonicMs());
  }

  #create(key: string, settings: RevisionSettings, pods: PodCounts): Revision {
    const revision: Revision = { uid: pods.uid, scaler: new RevisionScaler(settings, pods, this.#nowMs), latest: undefined };
    this.#revisions.set(key, revision);
    this.#parking.leave();
    const ahead = this.#ahead.take(key, this.#nowMs);
    if (ahead !== undefined) this.#apply(key, revision, ahead);
    return revision;
  }

  #take(key: string, input: ScalerInput): void {
    const revision = this.#revisions.get(key);
    if (revision === undefined) this.#ahead.keep(key, input, this.#nowMs);
    else this.#apply(key, revision, input);
  }

  #load(message: Extract<GatewayToControl, { type: "load" }>): void {
    const report = this.#gateways.reported(message, this.#nowMs);
    if (report === undefined) return;
    if (report.replaced) this.#gone(message.thread);
    const seconds = Math.min(Math.max(1, Math.round(message.periodMs / SECOND_MS)), SPREAD_SECONDS_MAX);
    for (const load of message.backends) {
      this.#take(load.backend, loadInput(load, { thread: message.thread, endMs: report.endMs, seconds }));
    }
  }

  #gone(thread: number): void {
    for (const [key, revision] of this.#revisions) this.#apply(key, revision, { type: "gone", thread });
  }

  /** The one way to a scaler: what it is told and what it decides is recorded, and its PodAutoscaler hears the news. */
  #apply(key: string, revision: Revision, input: ScalerInput): void {
    const { scaler } = revision;
    if (scaler.ignores(input)) return;
    const nowMs = this.#nowMs;
    const wasResting = scaler.resting;
    const recorded = this.#recordings.before(key, scaler, nowMs);
    const evaluation = scaler.apply(input, nowMs);
    if (recorded) this.#recordings.after(key, { scaler, input, evaluation }, nowMs);
    if (wasResting && !scaler.resting) this.#parking.leave();
    if (evaluation === undefined) return;
    revision.latest = explainedWith(revision.latest, evaluation, scaler.settings.decider);
    if (!evaluation.news) return;
    const { desired, ready, values } = evaluation;
    this.#logger.debug("autoscaler decision", { key, desired, ready, stable: values?.stable, panic: values?.panic });
    for (const listener of this.#listeners) listener(key);
  }
}

function loadInput(load: BackendLoad, its: Pick<LoadInput, "thread" | "endMs" | "seconds">): LoadInput {
  return { type: "load", ...its, concurrency: load.averageConcurrency, requests: load.requestCount, waiting: load.waiting };
}
