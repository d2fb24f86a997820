// Chance as an interface: uids, jitter and choices come from it, so a seed repeats a run.

export interface Rng {
  /** Uniform in [0, 2^32). */
  uint32(): number;
}

/** A repeatable generator (mulberry32) for tests, simulations and reproducible splits. */
export class SeededRng implements Rng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}

/** Uniform in [0, 1). */
export function float(rng: Rng): number {
  return rng.uint32() / 0x1_0000_0000;
}

/** Uniform integer in [0, limit); `limit` is at least 1. */
export function below(rng: Rng, limit: number): number {
  return Math.floor(float(rng) * limit);
}

/** A version 4 UUID (RFC 9562). */
export function uuid(rng: Rng): string {
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
  const first = hex(rng.uint32());
  const second = hex((rng.uint32() & 0xffff0fff) | 0x4000);
  const third = hex((rng.uint32() & 0x3fffffff) | 0x80000000);
  return `${first}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex(rng.uint32())}`;
}

/** The alphabet of Kubernetes' generated names: no vowels and no look-alikes, so no words and no mistakes. */
const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A random suffix as Kubernetes appends it to `generateName`. */
export function nameSuffix(rng: Rng, length = 5): string {
  return Array.from({ length }, () => NAME_ALPHABET[below(rng, NAME_ALPHABET.length)]).join("");
}
