// How much all subscribers together may have under way and open, shared so that whoever takes much leaves room for the next.

/** Requests of all subscribers. */
const REQUESTS_MAX = 8_192;
/** Octets of their events. */
const BYTES_MAX = 256 << 20;
/** Events that are open at subscribers: in flight, waiting or parked. Each takes some 200 octets of memory, and 20 of every checkpoint of the log. */
const RECORDS_MAX = 131_072;

export interface UnderWayLimits {
  readonly requests: number;
  readonly bytes: number;
  readonly records: number;
}

/** Whoever waits for room looks again; whether it used any. */
export interface Waiting {
  look(): boolean;
}

/**
 * A subscriber may take more while it has less than what is left. So n that never answer come to one share of n + 1 each and leave
 * one to the others, and what is under way goes over the limit by one event at most.
 */
export class UnderWay {
  readonly #limits: UnderWayLimits;
  /** Who has nothing under way that would call it when it ends: first come, first served. */
  readonly #lines = { requests: new Set<Waiting>(), records: new Set<Waiting>() };
  #requests = 0;
  #bytes = 0;
  #records = 0;

  constructor(limits: Partial<UnderWayLimits> = {}) {
    this.#limits = { requests: REQUESTS_MAX, bytes: BYTES_MAX, records: RECORDS_MAX, ...limits };
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  /** How many more requests a subscriber may begin that has so much under way: each of them while it has less than what is left. */
  roomFor(own: { readonly requests: number; readonly bytes: number }): number {
    if (own.bytes >= this.#limits.bytes - this.#bytes) return 0;
    return Math.max(0, Math.ceil((this.#limits.requests - this.#requests - own.requests) / 2));
  }

  /** Whether a subscriber may take one more event that has so many open. */
  mayOpen(own: number): boolean {
    return own < this.#limits.records - this.#records;
  }

  /** Called once when there is room of that kind. */
  wait(who: Waiting, what: "requests" | "records"): void {
    this.#lines[what].add(who);
  }

  forget(who: Waiting): void {
    this.#lines.requests.delete(who);
    this.#lines.records.delete(who);
  }

  take(what: { readonly requests?: number; readonly bytes?: number; readonly records?: number }): void {
    this.#requests += what.requests ?? 0;
    this.#bytes += what.bytes ?? 0;
    this.#records += what.records ?? 0;
  }

  give(what: { readonly requests?: number; readonly bytes?: number; readonly records?: number }): void {
    this.#requests -= what.requests ?? 0;
    this.#bytes -= what.bytes ?? 0;
    this.#records -= what.records ?? 0;
    this.serve();
  }

  /** Room that somebody was called for and did not use goes to the next. */
  serve(): void {
    this.#serve("requests", () => (this.#bytes < this.#limits.bytes ? this.#limits.requests - this.#requests : 0));
    this.#serve("records", () => this.#limits.records - this.#records);
  }

  /** As many are called as there is room; each once, and who cannot use it waits again behind the others. */
  #serve(what: "requests" | "records", left: () => number): void {
    const line = this.#lines[what];
    let called = 0;
    for (let tries = line.size; tries > 0 && called < left(); tries--) {
      const [first] = line;
      if (first === undefined) return;
      line.delete(first);
      if (first.look()) called++;
    }
  }
}
