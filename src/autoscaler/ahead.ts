// What gateways say of revisions without a decider: after a restart they serve before the deciders are there.
import type { ScalerInput } from "./revision-scaler.ts";

/** Words are of use for so long; a gateway with waiters repeats its own every second. */
const AHEAD_MS = 5_000;
const REVISIONS_MAX = 10_000;

/** State, no IO: one input a revision. */
export class Ahead {
  readonly #kept = new Map<string, { readonly input: ScalerInput; readonly atMs: number }>();

  /** The latest counts, but a wake is not forgotten for a report, which is decided upon later. */
  keep(key: string, input: ScalerInput, nowMs: number): void {
    if (this.#kept.get(key)?.input.type === "wake" && input.type === "load") return;
    this.#kept.delete(key);
    if (this.#kept.size >= REVISIONS_MAX) this.#dropOldest();
    this.#kept.set(key, { input, atMs: nowMs });
  }

  /** Once. */
  take(key: string, nowMs: number): ScalerInput | undefined {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept === undefined || nowMs - kept.atMs > AHEAD_MS ? undefined : kept.input;
  }

  #dropOldest(): void {
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }
}
