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
  const bytes = new Uint8Array(16);
  const words = new DataView(bytes.buffer);
  for (let offset = 0; offset < 16; offset += 4) words.setUint32(offset, rng.uint32());
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The alphabet of Kubernetes' generated names: no vowels and no look-alikes, so no words and no mistakes. */
const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A random suffix as Kubernetes appends it to `generateName`. */
export function nameSuffix(rng: Rng, length = 5): string {
  return Array.from({ length }, () => NAME_ALPHABET[below(rng, NAME_ALPHABET.length)]).join("");
}
