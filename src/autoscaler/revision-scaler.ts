// One revision over time: its windows, its decider and the holds around them. What it decides follows from its inputs alone.
import { type Decided, type DeciderState, decide, isNews, newDecider, TICK_MS } from "./decide.ts";
import { RevisionWindows, type WindowsState, type WindowValues } from "./revision-windows.ts";
import type { RevisionSettings } from "./settings.ts";

/** What a revision's scaler is told; with the times of the inputs it is all that a decision depends on. */
export type ScalerInput =
  /** Other settings, or another count of ready pods; undefined: the count failed. */
  | { readonly type: "told"; readonly settings: RevisionSettings; readonly ready: number | undefined }
  | LoadInput
  /** A request waits at zero in this thread, and its report is still to come. */
  | { readonly type: "wake"; readonly thread: number }
  /** The thread ended or was replaced: what it owed is void. */
  | { readonly type: "gone"; readonly thread: number }
  /** The periodic evaluation. Without gateways silence says nothing. */
  | { readonly type: "tick"; readonly gateways: boolean };

/** One thread's load over the `seconds` seconds before `endMs`. */
export interface LoadInput {
  readonly type: "load";
  readonly thread: number;
  readonly endMs: number;
  readonly seconds: number;
  readonly concurrency: number;
  readonly requests: number;
  readonly waiting: number;
}

/** One evaluation with what went into it. */
export interface Evaluation {
  readonly atMs: number;
  readonly ready: number | undefined;
  readonly values: WindowValues | undefined;
  readonly outcome: Decided["explain"] | "gateways silent";
  /** The latest valid decision, after the hold. */
  readonly desired: number;
  readonly excessBurstCapacity: number;
  readonly panicking: boolean;
  /** Set while a hold keeps the count up. */
  readonly heldAt?: number;
  /** The PodAutoscaler must look again. */
  readonly news: boolean;
}

/** After a restart or a suspension nothing shrinks until the windows have seen one whole stable window. */
interface Hold {
  readonly floor: number;
  /** Undefined until the gateways report. */
  readonly coveredSinceMs: number | undefined;
}

/** All that a scaler remembers: a plain value that survives JSON. */
export interface ScalerState {
  readonly settings: RevisionSettings;
  readonly ready?: number;
  readonly windows: WindowsState;
  readonly decider: DeciderState;
  readonly hold?: { readonly floor: number; readonly coveredSinceMs?: number };
  readonly knownUntilMs: number;
  readonly coveredAtMs: number;
  readonly resting: boolean;
  readonly wokenBy?: number;
  readonly owes: readonly (readonly [thread: number, reportedAtMs: number])[];
}

/** A longer time without evaluation is a hole in the data (suspended machine, dead gateways). */
const HOLE_MS = 5 * TICK_MS;
const SECOND_MS = 1_000;
/** A thread that reported load reports again a second later; beyond this it counts as stuck. */
const REPORT_LATE_MS = 5_000;

/** Times are monotonic milliseconds, so a stepped wall clock changes nothing. */
export class RevisionScaler {
  #settings: RevisionSettings;
  #ready: number | undefined;
  readonly #windows: RevisionWindows;
  #state: DeciderState;
  #hold: Hold | undefined;
  /** Until then load is known: recorded, or known to be none. */
  #knownUntilMs: number;
  /** When the gateways last answered for it at an evaluation. */
  #coveredAtMs: number;
  #resting = false;
  /** The thread whose wake was recorded as one request ahead of its report. */
  #wokenBy: number | undefined;
  /** Threads that had load in their latest report, with its time: another report must follow. */
  #owes: Map<number, number> | undefined;

  /** `restored`: replicas in force before this process knew the revision (a restart); not fewer for one stable window. */
  constructor(settings: RevisionSettings, pods: { readonly ready: number | undefined; readonly restored: number }, nowMs: number) {
    this.#settings = settings;
    this.#ready = pods.ready;
    this.#windows = new RevisionWindows(settings.metric);
    this.#state = newDecider(settings.decider, pods.ready, nowMs);
    this.#hold = pods.restored > 0 ? { floor: pods.restored, coveredSinceMs: undefined } : undefined;
    this.#knownUntilMs = nowMs;
    this.#coveredAtMs = nowMs;
  }

  /** One that goes on where another one was. */
  static from(state: ScalerState): RevisionScaler {
    const scaler = new RevisionScaler(state.settings, { ready: state.ready, restored: 0 }, state.knownUntilMs);
    scaler.#windows.restore(state.windows);
    scaler.#state = state.decider;
    scaler.#hold = state.hold === undefined ? undefined : { floor: state.hold.floor, coveredSinceMs: state.hold.coveredSinceMs };
    scaler.#coveredAtMs = state.coveredAtMs;
    scaler.#resting = state.resting;
    scaler.#wokenBy = state.wokenBy;
    scaler.#owes = state.owes.length === 0 ? undefined : new Map(state.owes);
    return scaler;
  }

  get state(): ScalerState {
    return {
      settings: this.#settings,
      ...(this.#ready === undefined ? {} : { ready: this.#ready }),
      windows: this.#windows.state,
      decider: this.#state,
      ...(this.#hold === undefined ? {} : { hold: this.#hold as { floor: number; coveredSinceMs?: number } }),
      knownUntilMs: this.#knownUntilMs,
      coveredAtMs: this.#coveredAtMs,
      resting: this.#resting,
      ...(this.#wokenBy === undefined ? {} : { wokenBy: this.#wokenBy }),
      owes: [...(this.#owes ?? [])],
    };
  }

  get settings(): RevisionSettings {
    return this.#settings;
  }

  get ready(): number | undefined {
    return this.#ready;
  }

  get decider(): DeciderState {
    return this.#state;
  }

  /** Nothing changes by itself: not evaluated until something is reported or told. */
  get resting(): boolean {
    return this.#resting;
  }

  /** True for an input that does nothing now: a wake of what is awake, a tick at rest. */
  ignores(input: ScalerInput): boolean {
    if (input.type === "wake") return this.#state.status.desired > 0;
    if (input.type === "tick") return this.#resting;
    return input.type === "gone" && this.#wokenBy !== input.thread && this.#owes?.has(input.thread) !== true;
  }

  values(nowMs: number): WindowValues | undefined {
    return this.#windows.values(this.#settings.decider.scalingMetric, nowMs);
  }

  /** Takes an input; an evaluation when it led to one. */
  apply(input: ScalerInput, nowMs: number): Evaluation | undefined {
    if (this.ignores(input)) return undefined;
    switch (input.type) {
      case "told":
        this.#disturb(nowMs);
        this.#ready = input.ready;
        this.#settings = input.settings;
        this.#windows.update(input.settings.metric);
        return undefined;
      case "load":
        return this.#record(input, nowMs);
      case "wake":
        this.#disturb(nowMs);
        this.#windows.record(nowMs, 1, 1);
        this.#knownUntilMs = nowMs;
        this.#wokenBy = input.thread;
        return this.#poke(nowMs);
      case "gone":
        if (this.#wokenBy === input.thread) this.#wokenBy = undefined;
        this.#owes?.delete(input.thread);
        return undefined;
      case "tick":
        return input.gateways && this.#answered(nowMs) ? this.#evaluate(nowMs) : this.#evaluation({ nowMs, values: undefined, outcome: "gateways silent" });
    }
  }

  /** Ends a rest: the time of the rest was without load. */
  #disturb(nowMs: number): void {
    if (!this.#resting) return;
    this.#resting = false;
    this.#coveredAtMs = nowMs;
    this.#fillSilence(nowMs);
  }

  /** While pods are ready, seconds nobody reported are zeros; the current second is left to the reports still on their way. */
  #fillSilence(nowMs: number): void {
    const toMs = nowMs - SECOND_MS;
    if ((this.#ready ?? 0) === 0 || toMs <= this.#knownUntilMs) return;
    this.#windows.recordSilence(this.#knownUntilMs + SECOND_MS, toMs);
    this.#knownUntilMs = toMs;
  }

  #record(load: LoadInput, nowMs: number): Evaluation | undefined {
    const { thread, endMs, seconds } = load;
    if (load.concurrency > 0 || load.requests > 0 || load.waiting > 0) (this.#owes ??= new Map()).set(thread, nowMs);
    else this.#owes?.delete(thread);
    if (load.concurrency > 0 || load.requests > 0) this.#disturb(nowMs);
    const ahead = this.#wokenBy === thread ? 1 : 0;
    if (ahead === 1) this.#wokenBy = undefined;
    const concurrency = Math.max(0, load.concurrency - ahead);
    const requests = Math.max(0, load.requests - ahead) / seconds;
    for (let back = seconds - 1; back >= 0; back--) this.#windows.record(endMs - back * SECOND_MS, concurrency, requests);
    this.#knownUntilMs = Math.max(this.#knownUntilMs, endMs);
    return load.concurrency > 0 ? this.#poke(nowMs) : undefined;
  }

  /** With nothing wanted, load is decided upon at once; what a stuck thread may hold back could only add to it. */
  #poke(nowMs: number): Evaluation | undefined {
    return this.#state.status.desired <= 0 ? this.#evaluate(nowMs) : undefined;
  }

  /** True when silence means that nobody asks. */
  #answered(nowMs: number): boolean {
    for (const reportedAtMs of this.#owes?.values() ?? []) if (nowMs - reportedAtMs > REPORT_LATE_MS) return false;
    return true;
  }

  #evaluate(nowMs: number): Evaluation {
    this.#fillSilence(nowMs);
    const before = this.#state.status;
    const values = this.values(nowMs);
    const decided = decide(this.#state, { settings: this.#settings.decider, ready: this.#ready, values }, nowMs);
    this.#cover(nowMs);
    const hold = this.#hold;
    const { status } = decided.state;
    const desired = hold === undefined || !decided.valid ? status.desired : Math.max(status.desired, hold.floor);
    if (hold !== undefined) this.#hold = { ...hold, floor: Math.max(hold.floor, desired) };
    this.#state = { ...decided.state, status: { ...status, desired } };
    this.#resting = values === undefined ? this.#ready === 0 : this.#isAtRest(values);
    const held = hold === undefined ? {} : { heldAt: hold.floor };
    return { ...this.#evaluation({ nowMs, values, outcome: decided.explain }), ...held, news: isNews(before, this.#state.status) };
  }

  #evaluation({
    nowMs,
    values,
    outcome,
  }: {
    readonly nowMs: number;
    readonly values: WindowValues | undefined;
    readonly outcome: Evaluation["outcome"];
  }): Evaluation {
    const { status, panicSinceMs } = this.#state;
    return { atMs: nowMs, ready: this.#ready, values, outcome, ...status, panicking: panicSinceMs !== undefined, news: false };
  }

  /** Keeps account of the time that the data cover: a hole begins a hold, a whole stable window ends it. */
  #cover(nowMs: number): void {
    const { decider } = this.#settings;
    const hole = nowMs - this.#coveredAtMs > HOLE_MS;
    const { desired } = this.#state.status;
    const floor = Math.max(desired < 0 ? (this.#ready ?? 0) : desired, this.#hold?.floor ?? 0);
    if (hole && floor > 0) this.#hold = { floor, coveredSinceMs: nowMs };
    this.#coveredAtMs = nowMs;
    const hold = this.#hold;
    if (hold === undefined) return;
    const coveredSinceMs = hold.coveredSinceMs ?? nowMs;
    const over = !decider.reachable || nowMs - coveredSinceMs >= decider.stableWindowMs;
    this.#hold = over ? undefined : { ...hold, coveredSinceMs };
  }

  /** Nothing wanted, nothing running off, nothing in the windows: evaluating again would change nothing. */
  #isAtRest(values: WindowValues): boolean {
    const { status, panicSinceMs } = this.#state;
    return status.desired === 0 && panicSinceMs === undefined && this.#hold === undefined && values.stable === 0 && values.panic === 0;
  }
}
