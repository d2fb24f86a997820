// All revisions together: their windows fed by the gateways' reports, their deciders evaluated every two seconds while anything moves.
import { type Clock, silentLogger, type Logger } from "#core";
import type { BackendLoad, GatewayToControl } from "#protocol";
import { type Decided, type DeciderState, type DeciderStatus, decide, isNews, newDecider, TICK_MS } from "./decide.ts";
import { Gateways } from "./gateways.ts";
import { RevisionWindows, type WindowValues } from "./revision-windows.ts";
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

/** One evaluation with all that went into it, or several in a row with the same numbers. Times are monotonic milliseconds. */
export interface Explained {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly ready: number | undefined;
  readonly values: WindowValues | undefined;
  readonly outcome: Decided["explain"] | "gateways silent";
  /** The latest valid decision, after the hold. */
  readonly desired: number;
  /** Set while a hold keeps the count up. */
  readonly heldAt?: number;
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

/** After a restart or a suspension nothing shrinks until the windows have seen one whole stable window. */
interface Hold {
  readonly floor: number;
  /** Undefined until the gateways report. */
  readonly coveredSinceMs: number | undefined;
}

interface Revision {
  readonly uid: string;
  settings: RevisionSettings;
  ready: number | undefined;
  readonly windows: RevisionWindows;
  state: DeciderState;
  hold: Hold | undefined;
  /** Until then load is known: recorded, or known to be none. */
  knownUntilMs: number;
  /** When the gateways last answered for it at an evaluation. */
  coveredAtMs: number;
  /** Nothing changes by itself: not evaluated until something is reported or told. */
  resting: boolean;
  /** The thread whose wake was recorded as one request ahead of its report. */
  wokenBy: number | undefined;
  readonly history: Explained[];
}

const HISTORY_MAX = 16;
/** A longer time without evaluation is a hole in the data (suspended machine, dead gateways). */
const HOLE_MS = 5 * TICK_MS;
const SECOND_MS = 1_000;
/** A report over a longer period is spread over this many seconds at most. */
const SPREAD_SECONDS_MAX = 5;

/** The decider set. All times are the clock's monotonic ones, so a stepped wall clock changes nothing. */
export class Deciders {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #gateways = new Gateways();
  readonly #revisions = new Map<string, Revision>();
  readonly #listeners = new Set<(key: string) => void>();
  #stir: (() => void) | undefined;

  constructor(options: { readonly clock: Clock; readonly logger?: Logger }) {
    this.#clock = options.clock;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Creates or updates the decider of `namespace/revision`, and tells its latest decision. */
  ensure(key: string, settings: RevisionSettings, pods: PodCounts): DeciderStatus {
    if (this.#revisions.get(key)?.uid !== pods.uid) this.remove(key);
    const revision = this.#revisions.get(key) ?? this.#create(key, settings, pods);
    const changed = revision.ready !== pods.ready || JSON.stringify(revision.settings) !== JSON.stringify(settings);
    if (changed) {
      this.#disturb(revision);
      revision.ready = pods.ready;
      revision.settings = settings;
      revision.windows.update(settings.metric);
    }
    return revision.state.status;
  }

  remove(key: string): void {
    this.#revisions.delete(key);
    this.#gateways.forget(key);
  }

  /** The latest decision; undefined when there is no such decider. */
  decision(key: string): DeciderStatus | undefined {
    return this.#revisions.get(key)?.state.status;
  }

  /** The latest evaluations, oldest first, at most sixteen different ones. */
  explain(key: string): readonly Explained[] {
    return this.#revisions.get(key)?.history ?? [];
  }

  /** Calls `listener` with the key after a decision that its PodAutoscaler must see. Returns the unsubscriber. */
  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  *snapshots(): Iterable<RevisionSnapshot> {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { settings, state, windows, ready }] of this.#revisions) {
      const { scalingMetric: metric, targetValue: target } = settings.decider;
      yield { key, ready, ...state.status, metric, target, values: windows.values(metric, nowMs), panicking: state.panicSinceMs !== undefined };
    }
  }

  /** Takes what a gateway thread says; messages that are not about load are ignored. */
  receive(message: GatewayToControl): void {
    const nowMs = this.#clock.monotonicMs();
    if (message.type === "listening") this.#gateways.up(message.thread);
    else if (message.type === "wake") this.#wake(message.backend, message.thread, nowMs);
    else if (message.type === "load" && this.#gateways.reported(message, message.backends, nowMs)) {
      for (const load of message.backends) this.#record(load, message, nowMs);
    }
  }

  /** A gateway thread has ended: what it had not reported is gone with its requests. */
  gatewayGone(thread: number): void {
    this.#gateways.down(thread);
  }

  /** Evaluates every revision that is not at rest. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, revision] of this.#revisions) {
      if (!revision.resting) this.#evaluate(key, revision, nowMs);
    }
  }

  /** Ticks every two seconds while something moves; sleeps without a timer while all is at rest. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (!signal.aborted) {
      if (this.idle) await this.#stirred(signal);
      else {
        await this.#clock.sleep(TICK_MS, signal).catch(() => undefined);
        if (!signal.aborted) this.tick();
      }
    }
  }

  /** True when no revision needs evaluation. */
  get idle(): boolean {
    return [...this.#revisions.values()].every(({ resting }) => resting);
  }

  #create(key: string, settings: RevisionSettings, pods: PodCounts): Revision {
    const nowMs = this.#clock.monotonicMs();
    const revision: Revision = {
      uid: pods.uid,
      settings,
      ready: pods.ready,
      windows: new RevisionWindows(settings.metric),
      state: newDecider(settings.decider, pods.ready, nowMs),
      hold: pods.restored > 0 ? { floor: pods.restored, coveredSinceMs: undefined } : undefined,
      knownUntilMs: nowMs,
      coveredAtMs: nowMs,
      resting: false,
      wokenBy: undefined,
      history: [],
    };
    this.#revisions.set(key, revision);
    this.#stir?.();
    return revision;
  }

  /** Ends a rest: the time of the rest was without load. */
  #disturb(revision: Revision): void {
    if (!revision.resting) return;
    revision.resting = false;
    revision.coveredAtMs = this.#clock.monotonicMs();
    this.#fillSilence(revision, revision.coveredAtMs);
    this.#stir?.();
  }

  /** While pods are ready, seconds nobody reported are zeros; the current second is left to the reports still on their way. */
  #fillSilence(revision: Revision, nowMs: number): void {
    const toMs = nowMs - SECOND_MS;
    if ((revision.ready ?? 0) === 0 || toMs <= revision.knownUntilMs) return;
    revision.windows.recordSilence(revision.knownUntilMs + SECOND_MS, toMs);
    revision.knownUntilMs = toMs;
  }

  #record(load: BackendLoad, from: { readonly thread: number; readonly periodMs: number }, nowMs: number): void {
    const revision = this.#revisions.get(load.backend);
    if (revision === undefined) return;
    if (load.averageConcurrency > 0 || load.requestCount > 0) this.#disturb(revision);
    const ahead = revision.wokenBy === from.thread ? 1 : 0;
    if (ahead === 1) revision.wokenBy = undefined;
    const seconds = Math.min(Math.max(1, Math.round(from.periodMs / SECOND_MS)), SPREAD_SECONDS_MAX);
    const concurrency = Math.max(0, load.averageConcurrency - ahead);
    const requests = Math.max(0, load.requestCount - ahead) / seconds;
    for (let back = seconds - 1; back >= 0; back--) revision.windows.record(nowMs - back * SECOND_MS, concurrency, requests);
    revision.knownUntilMs = nowMs;
    if (load.averageConcurrency > 0) this.#poke(load.backend, revision, nowMs);
  }

  /** A request waits at zero: counts as one until the thread's report, and is decided upon at once. */
  #wake(key: string, thread: number, nowMs: number): void {
    const revision = this.#revisions.get(key);
    if (revision === undefined || revision.state.status.desired > 0) return;
    this.#disturb(revision);
    revision.windows.record(nowMs, 1, 1);
    revision.knownUntilMs = nowMs;
    revision.wokenBy = thread;
    this.#poke(key, revision, nowMs);
  }

  #poke(key: string, revision: Revision, nowMs: number): void {
    if (revision.state.status.desired <= 0) this.#evaluate(key, revision, nowMs);
  }

  #evaluate(key: string, revision: Revision, nowMs: number): void {
    const { settings, ready, windows, state: before } = revision;
    if (!this.#gateways.answerFor(key, nowMs)) {
      note(revision, nowMs, { ready, values: undefined, outcome: "gateways silent", desired: before.status.desired });
      return;
    }
    this.#fillSilence(revision, nowMs);
    const values = windows.values(settings.decider.scalingMetric, nowMs);
    const decided = decide(before, { settings: settings.decider, ready, values }, nowMs);
    this.#cover(revision, nowMs);
    const { hold } = revision;
    const { status } = decided.state;
    const desired = hold === undefined || !decided.valid ? status.desired : Math.max(status.desired, hold.floor);
    if (hold !== undefined) revision.hold = { ...hold, floor: Math.max(hold.floor, desired) };
    revision.state = { ...decided.state, status: { ...status, desired } };
    revision.resting = values === undefined ? ready === 0 : isAtRest(revision, values);
    note(revision, nowMs, { ready, values, outcome: decided.explain, desired, ...(hold === undefined ? {} : { heldAt: hold.floor }) });
    if (!isNews(before.status, revision.state.status)) return;
    this.#logger.debug("autoscaler decision", { key, desired, ready, stable: values?.stable, panic: values?.panic });
    for (const listener of this.#listeners) listener(key);
  }

  /** Keeps account of the time that the data cover: a hole begins a hold, a whole stable window ends it. */
  #cover(revision: Revision, nowMs: number): void {
    const { decider } = revision.settings;
    const hole = nowMs - revision.coveredAtMs > HOLE_MS;
    const { desired } = revision.state.status;
    const floor = Math.max(desired < 0 ? (revision.ready ?? 0) : desired, revision.hold?.floor ?? 0);
    if (hole && floor > 0) revision.hold = { floor, coveredSinceMs: nowMs };
    revision.coveredAtMs = nowMs;
    const { hold } = revision;
    if (hold === undefined) return;
    const coveredSinceMs = hold.coveredSinceMs ?? nowMs;
    const over = !decider.reachable || nowMs - coveredSinceMs >= decider.stableWindowMs;
    revision.hold = over ? undefined : { ...hold, coveredSinceMs };
  }

  #stirred(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        this.#stir = undefined;
        resolve();
      };
      this.#stir = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

/** Nothing wanted, nothing running off, nothing in the windows: evaluating again would change nothing. */
function isAtRest({ state, hold }: Revision, values: WindowValues): boolean {
  return state.status.desired === 0 && state.panicSinceMs === undefined && hold === undefined && values.stable === 0 && values.panic === 0;
}

function sameNumbers(a: Omit<Explained, "sinceMs" | "untilMs">, b: Omit<Explained, "sinceMs" | "untilMs">): boolean {
  const sameValues = a.values?.stable === b.values?.stable && a.values?.panic === b.values?.panic;
  return sameValues && a.ready === b.ready && a.desired === b.desired && a.heldAt === b.heldAt && typeof a.outcome === typeof b.outcome;
}

/** Remembers an evaluation; one like the last only prolongs it, so an idle revision keeps little. */
function note({ history }: Revision, nowMs: number, explained: Omit<Explained, "sinceMs" | "untilMs">): void {
  const last = history.at(-1);
  const sinceMs = last !== undefined && sameNumbers(last, explained) ? last.sinceMs : nowMs;
  if (last?.sinceMs === sinceMs) history.pop();
  history.push({ ...explained, sinceMs, untilMs: nowMs });
  if (history.length > HISTORY_MAX) history.shift();
}
