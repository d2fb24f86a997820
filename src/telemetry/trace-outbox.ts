// What a thread tells control of its traces: many at once, fewer when a second has passed, and no more in a second than a limit.

const BATCH = 64;
/** Told of in a second; more are dropped: spans must not drown the data path. */
export const TRACES_PER_GATHER_MAX = 1_000;

export class TraceOutbox<T> {
  readonly #send: (traces: readonly T[]) => void;
  #waiting: T[] = [];
  /** Since the last gathering. */
  #told = 0;

  constructor(send: (traces: readonly T[]) => void) {
    this.#send = send;
  }

  get isDirty(): boolean {
    return this.#waiting.length > 0 || this.#told > 0;
  }

  get isFull(): boolean {
    return this.#told + this.#waiting.length >= TRACES_PER_GATHER_MAX;
  }

  /** Not while it is full. */
  add(trace: T): void {
    this.#waiting.push(trace);
    if (this.#waiting.length >= BATCH) this.#tell();
  }

  /** A second has passed. */
  gather(): void {
    this.#tell();
    this.#told = 0;
  }

  #tell(): void {
    if (this.#waiting.length === 0) return;
    this.#told += this.#waiting.length;
    this.#send(this.#waiting);
    this.#waiting = [];
  }
}
