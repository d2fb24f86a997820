// A Bloom filter: says of octets that they were surely never added, or that they may have been. It is made large and folded to what it needs.

/** Bits set for each entry. */
const PROBES = 4;
/** It is halved as long as no more than this part of its bits would be set: about one in eighty answers is then a wrong "maybe". */
const FULL = 1 / 3;
const BYTES_LEAST = 64;

export class Bloom {
  readonly octets: Uint8Array;
  readonly #mask: number;
  #one = 0;
  #other = 0;

  /** Their length is a power of two. */
  constructor(octets: Uint8Array) {
    this.octets = octets;
    this.#mask = octets.length * 8 - 1;
  }

  add(entry: Uint8Array, seed: number): void {
    this.#hash(entry, seed);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (this.#one + Math.imul(probe, this.#other)) & this.#mask;
      this.octets[bit >> 3] = (this.octets[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  /** False: it was never added with this seed. */
  mayHave(entry: Uint8Array, seed: number): boolean {
    this.#hash(entry, seed);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (this.#one + Math.imul(probe, this.#other)) & this.#mask;
      if (((this.octets[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }

  /** The smallest filter with the same entries that is not too full: bits that differ in their highest place alone become one. */
  folded(): Bloom {
    let { octets } = this;
    while (octets.length > BYTES_LEAST) {
      const half = octets.slice(0, octets.length / 2);
      for (let at = 0; at < half.length; at++) half[at] = (half[at] ?? 0) | (octets[at + half.length] ?? 0);
      if (bitsOf(half) > half.length * 8 * FULL) break;
      octets = half;
    }
    return new Bloom(octets);
  }

  /** Two hashes of 32 bits in one pass (multiply and exclusive-or, then a final mix), the second one odd. */
  #hash(entry: Uint8Array, seed: number): void {
    let one = 0x9e3779b9 ^ seed;
    let other = 0x85ebca6b ^ seed;
    for (let at = 0; at < entry.length; at++) {
      const octet = entry[at] ?? 0;
      one = Math.imul(one ^ octet, 0x01000193);
      other = Math.imul(other ^ octet, 0x5bd1e995);
    }
    one = Math.imul(one ^ (one >>> 15), 0x2c1b3c6d);
    other = Math.imul(other ^ (other >>> 13), 0x297a2d39);
    this.#one = one ^ (one >>> 16);
    this.#other = (other ^ (other >>> 15)) | 1;
  }
}

function bitsOf(octets: Uint8Array): number {
  let bits = 0;
  for (let octet of octets) for (; octet !== 0; octet &= octet - 1) bits++;
  return bits;
}
