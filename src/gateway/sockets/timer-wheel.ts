// Deadlines of many requests with one timer: a hashed wheel on the injected clock that sleeps to the next due tick only.
import type { Clock } from "#core";

const BUCKETS = 512;

/** Something with a deadline; it is its own list node, so that arming and disarming allocate nothing. */
export interface Timed {
  /** Monotonic milliseconds; set by the wheel. */
  dueMs: number;
  /** Called once when the deadline has passed, late by one tick at most; may be added again. */
  expire(nowMs: number): void;
  /** The tick at which it is looked at, and links of the list of its bucket; owned by the wheel. -1 while it is not in it. */
  bucket: number;
  before: Timed | undefined;
  after: Timed | undefined;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #buckets: (Timed | undefined)[] = Array.from({ length: BUCKETS }, () => undefined);
  #size = 0;
  /** Last tick that was worked off. */
  #tick = 0;
  /** Tick that the loop sleeps to: 0 while it works, Infinity while it is parked. */
  #sleepingTo = 0;
  #interrupt: (() => void) | undefined;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  get size(): number {
    return this.#size;
  }

  /** One that is looked at before `dueMs` anyway stays where it is, so that what is armed over and over again moves seldom. */
  add(timed: Timed, dueMs: number): void {
    const dueTick = Math.ceil(dueMs / this.#tickMs);
    if (timed.bucket >= 0) {
      if (timed.bucket <= dueTick) {
        timed.dueMs = dueMs;
        return;
      }
      this.remove(timed);
    }
    if (this.#size === 0) this.#tick = Math.max(this.#tick, Math.floor(this.#clock.monotonicMs() / this.#tickMs));
    timed.dueMs = dueMs;
    // Far deadlines wait in the last bucket of this turn and are put further from there.
    const tick = Math.min(Math.max(dueTick, this.#tick + 1), this.#tick + BUCKETS - 1);
    const bucket = tick % BUCKETS;
    const first = this.#buckets[bucket];
    timed.bucket = tick;
    timed.before = undefined;
    timed.after = first;
    if (first !== undefined) first.before = timed;
    this.#buckets[bucket] = timed;
    this.#size++;
    if (tick < this.#sleepingTo) this.#interrupt?.();
  }

  /** It has no deadline until it is added again, which costs next to nothing before its bucket comes up: then it is taken out. */
  rest(timed: Timed): void {
    timed.dueMs = Infinity;
  }

  remove(timed: Timed): void {
    if (timed.bucket < 0) return;
    if (timed.before === undefined) this.#buckets[timed.bucket % BUCKETS] = timed.after;
    else timed.before.after = timed.after;
    if (timed.after !== undefined) timed.after.before = timed.before;
    timed.bucket = -1;
    timed.before = undefined;
    timed.after = undefined;
    this.#size--;
  }

  /** Expires deadlines until the signal aborts; sets no timer while nothing is armed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#nextTick();
      await this.#sleepTo(next, signal);
      this.#sleepingTo = 0;
      this.#workOff(this.#clock.monotonicMs());
    }
  }

  #nextTick(): number {
    if (this.#size === 0) return Infinity;
    for (let ahead = 1; ahead < BUCKETS; ahead++) {
      if (this.#buckets[(this.#tick + ahead) % BUCKETS] !== undefined) return this.#tick + ahead;
    }
    return this.#tick + 1;
  }

  async #sleepTo(tick: number, signal: AbortSignal): Promise<void> {
    const interrupt = new AbortController();
    const stop = (): void => interrupt.abort();
    this.#sleepingTo = tick;
    this.#interrupt = stop;
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (tick === Infinity) await aborted(interrupt.signal);
      else await this.#clock.sleep(tick * this.#tickMs - this.#clock.monotonicMs(), interrupt.signal);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
    } finally {
      this.#interrupt = undefined;
      signal.removeEventListener("abort", stop);
    }
  }

  #workOff(nowMs: number): void {
    const until = Math.floor(nowMs / this.#tickMs);
    const from = Math.max(this.#tick, until - BUCKETS);
    const due: Timed[] = [];
    for (let tick = from + 1; tick <= until; tick++) {
      for (let timed = this.#buckets[tick % BUCKETS]; timed !== undefined; timed = timed.after) due.push(timed);
    }
    this.#tick = Math.max(this.#tick, until);
    for (const timed of due) {
      // An earlier one of this round may have taken it out or armed it anew.
      if (timed.bucket < 0) continue;
      this.remove(timed);
      if (timed.dueMs <= nowMs) timed.expire(nowMs);
      else if (timed.dueMs < Infinity) this.add(timed, timed.dueMs);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
