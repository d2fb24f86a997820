// Which pod gets the next request (Knative's activator has three of these, serving.md 4.2).
import { below, type Rng } from "#core";
import type { LoadBalancing } from "#protocol";
import type { InFlightTable } from "../shared/in-flight.ts";
import type { Pod } from "./pod.ts";

export class Choice {
  readonly #inFlight: InFlightTable;
  readonly #rng: Rng;
  /** Where round robin goes on. */
  #next = 0;

  constructor(inFlight: InFlightTable, rng: Rng) {
    this.#inFlight = inFlight;
    this.#rng = rng;
  }

  /** A pod with a free place, as it looks now; undefined when there is none. `pods` are in order of their addresses. */
  pick(how: LoadBalancing, pods: readonly Pod[], but: Pod | undefined): Pod | undefined {
    if (how === "round-robin") return this.#fromPlace(pods, this.#next, but);
    if (how === "first-available") return this.#fromPlace(pods, 0, but);
    if (how === "random-two" && pods.length > 2) return this.#ofTwo(pods, but) ?? this.#fewest(pods, but);
    return this.#fewest(pods, but);
  }

  /** Whether any of them has a free place, as it looks now. */
  hasRoom(pods: readonly Pod[]): boolean {
    for (const pod of pods) if (pod.limit === 0 || this.#inFlight.total(pod.slot) < pod.limit) return true;
    return false;
  }

  /** Fewest in flight, by chance among equals; of pods with a limit those of all threads count. */
  #fewest(pods: readonly Pod[], but: Pod | undefined): Pod | undefined {
    let best: Pod | undefined;
    let fewest = Infinity;
    let equals = 0;
    for (const pod of pods) {
      if (pod === but) continue;
      const count = pod.limit > 0 ? this.#inFlight.total(pod.slot) : pod.inUse;
      if (count > fewest || (pod.limit > 0 && count >= pod.limit)) continue;
      equals = count < fewest ? 1 : equals + 1;
      if (equals > 1 && below(this.#rng, equals) !== 0) continue;
      fewest = count;
      best = pod;
    }
    return best;
  }

  /** The first with room from `start` on, once round. */
  #fromPlace(pods: readonly Pod[], start: number, but: Pod | undefined): Pod | undefined {
    for (let step = 0; step < pods.length; step++) {
      const index = (start + step) % pods.length;
      const pod = pods[index];
      if (pod === undefined || pod === but) continue;
      if (pod.limit > 0 && this.#inFlight.total(pod.slot) >= pod.limit) continue;
      this.#next = index + 1;
      return pod;
    }
    return undefined;
  }

  /** Of two by chance the one with fewer in flight; undefined when neither has room. */
  #ofTwo(pods: readonly Pod[], but: Pod | undefined): Pod | undefined {
    const first = below(this.#rng, pods.length);
    const second = (first + 1 + below(this.#rng, pods.length - 1)) % pods.length;
    return this.#fewest([pods[first] as Pod, pods[second] as Pod], but);
  }
}
