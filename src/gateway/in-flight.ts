// The shared table of requests in flight: one row a pod, column 0 the total, one column a thread.

/** Bytes of `GatewayStart.inFlight`. */
export function inFlightBytes(threads: number, slots: number): number {
  return 4 * (1 + threads) * slots;
}

/** Bytes of `GatewayStart.doorbell`. */
export function doorbellBytes(threads: number): number {
  return 4 * 2 * threads;
}

/** Gives back what a dead thread held: its column is subtracted from the totals and cleared. Call before its successor starts. */
export function subtractThread(inFlight: SharedArrayBuffer, table: { readonly thread: number; readonly threads: number }): void {
  const cells = new Int32Array(inFlight);
  const columns = 1 + table.threads;
  for (let row = 0; row + columns <= cells.length; row += columns) {
    const held = Atomics.exchange(cells, row + 1 + table.thread, 0);
    if (held !== 0) Atomics.sub(cells, row, held);
  }
}

/** One thread's hand on the table. Rows are pods' slots. */
export class InFlightTable {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #columns: number;
  readonly #own: number;

  constructor(inFlight: SharedArrayBuffer, table: { readonly thread: number; readonly threads: number }) {
    this.#cells = new Int32Array(inFlight);
    this.#columns = 1 + table.threads;
    this.#own = 1 + table.thread;
  }

  /** Requests in flight on the pod, of all threads. */
  total(slot: number): number {
    return Atomics.load(this.#cells, slot * this.#columns);
  }

  /** Takes one place of `limit`; false when all are taken. Never more than `limit` places are out. */
  tryAcquire(slot: number, limit: number): boolean {
    const total = slot * this.#columns;
    let seen = Atomics.load(this.#cells, total);
    while (seen < limit) {
      const before = Atomics.compareExchange(this.#cells, total, seen, seen + 1);
      if (before === seen) {
        Atomics.add(this.#cells, total + this.#own, 1);
        return true;
      }
      seen = before;
    }
    return false;
  }

  release(slot: number): void {
    const total = slot * this.#columns;
    // Own share first: should the thread die in between, one place is lost and none is doubled.
    Atomics.sub(this.#cells, total + this.#own, 1);
    Atomics.sub(this.#cells, total, 1);
  }
}

/**
 * Tells other threads that a place became free. A waiting thread counts its waiters here *before* it tries once more, and a
 * releasing thread frees the place *before* it looks at the counts: one of the two always sees the other.
 */
export class Doorbell {
  readonly #cells: Int32Array<SharedArrayBuffer> | undefined;
  readonly #thread: number;
  readonly #threads: number;

  /** Without a buffer (one thread) it does nothing. */
  constructor(doorbell: SharedArrayBuffer | undefined, table: { readonly thread: number; readonly threads: number }) {
    this.#cells = doorbell === undefined ? undefined : new Int32Array(doorbell);
    this.#thread = table.thread;
    this.#threads = table.threads;
    // A predecessor's waiters died with it.
    if (this.#cells !== undefined) Atomics.store(this.#cells, 2 * this.#thread + 1, 0);
  }

  /** Whether other threads exist that may free places. */
  get shared(): boolean {
    return this.#cells !== undefined;
  }

  /** One request of this thread began (+1) or ceased (-1) to wait for a place. */
  waiting(change: 1 | -1): void {
    if (this.#cells !== undefined) Atomics.add(this.#cells, 2 * this.#thread + 1, change);
  }

  /** Whether a request of another thread waits for a place. */
  get othersWait(): boolean {
    if (this.#cells === undefined) return false;
    for (let other = 0; other < this.#threads; other++) {
      if (other !== this.#thread && Atomics.load(this.#cells, 2 * other + 1) > 0) return true;
    }
    return false;
  }

  /** Rings at every other thread that has waiters. */
  ring(): void {
    if (this.#cells === undefined) return;
    for (let other = 0; other < this.#threads; other++) {
      if (other === this.#thread || Atomics.load(this.#cells, 2 * other + 1) === 0) continue;
      Atomics.add(this.#cells, 2 * other, 1);
      Atomics.notify(this.#cells, 2 * other);
    }
  }

  /** Calls `rung` after each ring of another thread, until the signal aborts. */
  async listen(rung: () => void, signal: AbortSignal): Promise<void> {
    const cells = this.#cells;
    if (cells === undefined) return;
    const bell = 2 * this.#thread;
    const stop = (): void => {
      Atomics.add(cells, bell, 1);
      Atomics.notify(cells, bell);
    };
    signal.addEventListener("abort", stop, { once: true });
    let heard = Atomics.load(cells, bell);
    while (!signal.aborted) {
      const wait = Atomics.waitAsync(cells, bell, heard);
      if (wait.async) await wait.value;
      heard = Atomics.load(cells, bell);
      if (!signal.aborted) rung();
    }
    signal.removeEventListener("abort", stop);
  }
}
