// How long conditions have been as they are. Their times are wall times, which a set clock or a closed lid makes lie; a change that
// was seen is counted from then on the monotonic clock, and only what was there before is believed.
import type { Condition } from "#schema";

export interface NowMs {
  readonly monotonic: number;
  readonly wall: number;
}

interface Seen {
  readonly status: string;
  readonly since: string;
  readonly ageMs: number;
  readonly atMs: number;
}

/** By the condition's own time; one without a time has just begun. */
export function wallAgeOf(condition: Condition | undefined, wallMs: number): number {
  return condition?.lastTransitionTime === undefined ? 0 : wallMs - Date.parse(condition.lastTransitionTime);
}

/** Keys are of objects; what is forgotten is believed anew. */
export class ConditionAges {
  readonly #seen = new Map<string, Map<string, Seen>>();

  ageOf(key: string, condition: Condition | undefined, nowMs: NowMs): number {
    if (condition === undefined) return 0;
    const { type, status, lastTransitionTime: since = "" } = condition;
    const ofObject = this.#seen.get(key) ?? new Map<string, Seen>();
    this.#seen.set(key, ofObject);
    const known = ofObject.get(type);
    if (known?.status === status && known.since === since) return known.ageMs + nowMs.monotonic - known.atMs;
    const ageMs = Math.max(0, wallAgeOf(condition, nowMs.wall));
    ofObject.set(type, { status, since, ageMs, atMs: nowMs.monotonic });
    return ageMs;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
