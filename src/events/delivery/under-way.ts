// How much all subscribers together may have under way, shared so that whoever takes much leaves room for the next.

/** Requests of all subscribers. */
const REQUESTS_MAX = 8_192;
/** Octets of their events. */
const BYTES_MAX = 256 << 20;

export interface UnderWayLimits {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * A subscriber may take more while it has less than what is left. So n that never answer come to one share of n + 1 each and leave
 * one to the others, and what is under way goes over the limit by one event at most.
 */
export class UnderWay {
  readonly #limits: UnderWayLimits;
  readonly #waiting = new Set<() => void>();
  #requests = 0;
  #bytes = 0;

  constructor(limits: UnderWayLimits = { requests: REQUESTS_MAX, bytes: BYTES_MAX }) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many more requests a subscriber may begin that has so much under way. */
  roomFor(own: { readonly requests: number; readonly bytes: number }): number {
    if (own.bytes >= this.#limits.bytes - this.#bytes) return 0;
    return Math.max(0, this.#limits.requests - this.#requests - own.requests);
  }

  /** Called once when something was given back; a subscriber that had no room looks again. */
  wait(look: () => void): void {
    this.#waiting.add(look);
  }

  forget(look: () => void): void {
    this.#waiting.delete(look);
  }

  take(what: { readonly requests?: number; readonly bytes?: number }): void {
    this.#requests += what.requests ?? 0;
    this.#bytes += what.bytes ?? 0;
  }

  give(what: { readonly requests?: number; readonly bytes?: number }): void {
    this.#requests -= what.requests ?? 0;
    this.#bytes -= what.bytes ?? 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const look of waiting) look();
  }
}
