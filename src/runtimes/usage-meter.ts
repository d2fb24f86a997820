// Rates from counters: what somebody uses is looked at when somebody asks, and twice when nobody has asked lately.
import type { Clock } from "#core";
import type { MeasuredRate } from "#kinds";
import type { ContainerUsage } from "./port.ts";

/** A pod, or whatever else has parts that use something. */
export interface Measured {
  readonly id: string;
  /** Undefined when it does not run (any more), or when nobody can tell. */
  read(): Promise<readonly ContainerUsage[] | undefined>;
}

/** Within a shorter time CPU time, which is counted in hundredths of a second, tells too little. */
const WINDOW_MIN_MS = 1_000;
/** Means are over the last 15 seconds, as metrics-server has them, or the nearest to it that there is. */
const WINDOW_MS = 15_000;
/** Older looks do not tell what happens now. */
const KEPT_MS = 30_000;
/** So many are looked at side by side. */
const AT_ONCE = 32;

type Look = readonly ContainerUsage[];

/** Keeps looks of the last half minute, at most one a second, of those that somebody asked about. */
export class UsageMeter {
  readonly #clock: Clock;
  readonly #looks = new Map<string, Look[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that have run for a second, by id. It waits for that second where there is no earlier look. */
  async measure(all: readonly Measured[], signal: AbortSignal): Promise<ReadonlyMap<string, MeasuredRate>> {
    this.#forgetOld();
    const rates = new Map<string, MeasuredRate>();
    const first = await this.#look(all, rates);
    if (first.length > 0) {
      await this.#clock.sleep(WINDOW_MIN_MS, signal);
      await this.#look(first, rates);
    }
    return rates;
  }

  /** Looks at each, and sets the rates that this gives; returns those that have to be looked at again. */
  async #look(all: readonly Measured[], rates: Map<string, MeasuredRate>): Promise<readonly Measured[]> {
    const again: Measured[] = [];
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const some = all.slice(at, at + AT_ONCE);
      const looks = await Promise.all(some.map((one) => one.read().catch(() => undefined)));
      for (const [index, one] of some.entries()) {
        const look = looks[index] ?? [];
        if (look.length === 0) continue;
        const rate = this.#rate(one.id, look);
        if (rate === undefined) again.push(one);
        else rates.set(one.id, rate);
      }
    }
    return again;
  }

  #rate(id: string, look: Look): MeasuredRate | undefined {
    const kept = this.#looks.get(id) ?? [];
    const last = kept.at(-1);
    const before = last !== undefined && goesOn(last, look) ? kept : [];
    const [atMs, lastMs] = [timeOf(look), timeOf(before.at(-1))];
    this.#looks.set(id, atMs - lastMs < WINDOW_MIN_MS ? before : [...before, look]);
    const usable = before.filter((earlier) => atMs - timeOf(earlier) >= WINDOW_MIN_MS);
    const from = usable.findLast((earlier) => atMs - timeOf(earlier) >= WINDOW_MS) ?? usable[0];
    return from === undefined ? undefined : this.#between(from, look);
  }

  #between(from: Look, look: Look): MeasuredRate {
    const windowMs = timeOf(look) - timeOf(from);
    const parts = look.map(({ name, cpuNanos, memoryBytes }) => {
      const used = cpuNanos - (from.find((part) => part.name === name)?.cpuNanos ?? cpuNanos);
      return { name, cpuNanos: Math.round((used * 1000) / windowMs), memoryBytes };
    });
    return { parts, atMs: this.#clock.wallMs() - (this.#clock.monotonicMs() - timeOf(look)), windowMs };
  }

  #forgetOld(): void {
    const oldest = this.#clock.monotonicMs() - KEPT_MS;
    for (const [id, looks] of this.#looks) {
      const kept = looks.filter((look) => timeOf(look) >= oldest);
      if (kept.length === 0) this.#looks.delete(id);
      else this.#looks.set(id, kept);
    }
  }
}

/** Parts are looked at one after the other, so the last one tells. */
function timeOf(look: Look | undefined): number {
  return look === undefined ? -Infinity : Math.max(...look.map(({ atMs }) => atMs));
}

/** A part that was started anew counts from zero: what was seen before says nothing about it. */
function goesOn(earlier: Look, look: Look): boolean {
  const before = new Map(earlier.map((part) => [part.name, part.cpuNanos]));
  return earlier.length === look.length && look.every(({ name, cpuNanos }) => cpuNanos >= (before.get(name) ?? Infinity));
}
