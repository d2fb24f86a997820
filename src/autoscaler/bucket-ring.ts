// A ring of one-second sums over a sliding window, with a linear and a weighted average (serving.md 3.4).

const SECOND_MS = 1_000;
/** The share of the weight that lies inside the window is 1 - this. */
const WEIGHT_OUTSIDE = 0.0001;
const SMOOTHING_MIN = 0.2;

function secondOf(timeMs: number): number {
  return Math.floor(timeMs / SECOND_MS);
}

/** Rounded to six decimals, halves away from zero: hides the order in which fractions were added. */
function round6(value: number): number {
  return (Math.sign(value) * Math.round(Math.abs(value) * 1e6)) / 1e6;
}

function modulo(value: number, n: number): number {
  return ((value % n) + n) % n;
}

/** What a ring holds: a plain value that survives JSON. */
export interface RingState {
  readonly total: number;
  /** Absent before the first write. */
  readonly span?: { readonly first: number; readonly last: number };
  /** Sums other than 0 by their second. */
  readonly sums: readonly (readonly [second: number, sum: number])[];
}

/** Times are milliseconds on any one timeline; everything inside counts whole seconds. */
export class BucketRing {
  #buckets: Float64Array;
  /** Kept up to date with every write: averages of half a millionth round as in Knative. */
  #total = 0;
  /** The oldest second known to hold data, and the newest; undefined before the first write. */
  #span: { first: number; last: number } | undefined;

  constructor(windowMs: number) {
    this.#buckets = new Float64Array(Math.ceil(windowMs / SECOND_MS));
  }

  get #n(): number {
    return this.#buckets.length;
  }

  /** The bucket that this second shares with those a whole window away. */
  #at(second: number): number {
    return this.#buckets[modulo(second, this.#n)] ?? 0;
  }

  /** Adds to the sum of its second; what is older than the window is dropped. */
  record(timeMs: number, value: number): void {
    const second = secondOf(timeMs);
    const span = this.#span;
    if (span === undefined || second - span.last >= this.#n) {
      this.#buckets.fill(0);
      this.#total = 0;
      this.#span = { first: second, last: second };
    } else if (second > span.last) {
      for (let expired = span.last + 1; expired <= second; expired++) {
        this.#total -= this.#at(expired);
        this.#buckets[modulo(expired, this.#n)] = 0;
      }
      span.last = second;
    } else if (second > span.last - this.#n) {
      span.first = Math.min(span.first, second);
    } else return;
    this.#buckets[modulo(second, this.#n)] = this.#at(second) + value;
    this.#total += value;
  }

  /** True when the newest data are older than the window. */
  isEmpty(nowMs: number): boolean {
    return this.#span === undefined || secondOf(nowMs) - this.#span.last > this.#n;
  }

  /** How many seconds back the newest data lie; the window's length or more means nothing is left. */
  #gap(nowMs: number): number {
    return this.#span === undefined ? this.#n : Math.max(0, secondOf(nowMs) - this.#span.last);
  }

  /** Sum over the window divided by its length, or by the age of younger data. */
  linearAverage(nowMs: number): number {
    const gap = this.#gap(nowMs);
    const span = this.#span;
    if (span === undefined || gap >= this.#n) return 0;
    let total = this.#total;
    for (let expired = span.last + 1; expired <= span.last + gap; expired++) total -= this.#at(expired);
    return round6(total / Math.min(span.last - span.first + 1, this.#n - gap));
  }

  /** Exponentially falling weights from now back; they are not normalised. */
  weightedAverage(nowMs: number): number {
    const gap = this.#gap(nowMs);
    const span = this.#span;
    if (span === undefined || gap >= this.#n) return 0;
    const smoothing = Math.max(1 - WEIGHT_OUTSIDE ** (1 / this.#n), SMOOTHING_MIN);
    let weight = smoothing * (1 - smoothing) ** gap;
    let sum = 0;
    for (let age = 0; age < this.#n - gap; age++) {
      sum += this.#at(span.last - age) * weight;
      weight *= 1 - smoothing;
    }
    return sum;
  }

  /** Keeps the newest buckets; from then on the data count as old as the whole former window. */
  resize(windowMs: number): void {
    const old = this.#buckets;
    const n = Math.ceil(windowMs / SECOND_MS);
    if (n === old.length) return;
    this.#buckets = new Float64Array(n);
    const span = this.#span;
    if (span === undefined) return;
    for (let age = 0; age < Math.min(n, old.length); age++) {
      const second = span.last - age;
      this.#buckets[modulo(second, n)] = old[modulo(second, old.length)] ?? 0;
    }
    span.first = span.last - old.length + 1;
    this.#total = this.#buckets.reduce((total, value) => total + value, 0);
  }

  get state(): RingState {
    const span = this.#span;
    if (span === undefined) return { total: this.#total, sums: [] };
    const sums: (readonly [number, number])[] = [];
    for (let second = span.last - this.#n + 1; second <= span.last; second++) {
      const sum = this.#at(second);
      if (sum !== 0) sums.push([second, sum]);
    }
    return { total: this.#total, span: { ...span }, sums };
  }

  /** Takes what a ring of the same window held. */
  restore({ total, span, sums }: RingState): void {
    this.#buckets.fill(0);
    this.#total = total;
    this.#span = span === undefined ? undefined : { ...span };
    for (const [second, sum] of sums) this.#buckets[modulo(second, this.#n)] = sum;
  }

  /** Zeros for every second from `fromMs` to `toMs`: known silence, not missing data. */
  recordSilence(fromMs: number, toMs: number): void {
    this.record(Math.max(fromMs, toMs - (this.#n - 1) * SECOND_MS), 0);
    this.record(toMs, 0);
  }
}
