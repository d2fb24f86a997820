// The shared table of requests in flight: a row a pod, its column 0 the total, then a column a thread, and one of the control thread:
// places that other platforms have while one hands over to the next (src/gateway/lent). Invariant: while no thread is within an operation, the total of each row is the sum of its columns; within one it may be
// one more for each thread, never less. Each thread has a word that is odd while it is within an operation: see recovery.ts.

/** Cells of a line of the processor's cache: words of different threads and rows of different pods share none. */
const LINE = 16;

/** Where things are in the table. */
export class InFlightLayout {
  /** A column each: the threads, then the control thread. */
  readonly columns: number;
  readonly stride: number;
  readonly rows: number;
  readonly #first: number;

  constructor(cells: number, threads: number) {
    this.columns = threads + 1;
    this.#first = LINE * this.columns;
    this.stride = strideOf(this.columns);
    this.rows = Math.floor((cells - this.#first) / this.stride);
  }

  /** Odd while the thread is within an operation; changes with each. */
  wordAt(thread: number): number {
    return LINE * thread;
  }

  totalAt(row: number): number {
    return this.#first + row * this.stride;
  }

  columnAt(row: number, thread: number): number {
    return this.totalAt(row) + 1 + thread;
  }
}

function strideOf(columns: number): number {
  return LINE * Math.ceil((1 + columns) / LINE);
}

/** Bytes of `GatewayStart.inFlight`. */
export function inFlightBytes(threads: number, slots: number): number {
  return 4 * (LINE * (threads + 1) + slots * strideOf(threads + 1));
}

/** One thread's hand on the table; number `threads` is the control thread's. Rows are pods' slots. */
export class InFlightTable {
  readonly #cells: Int32Array;
  readonly #layout: InFlightLayout;
  readonly #thread: number;
  readonly #word: number;
  /** What the word holds. */
  #operations: number;

  constructor(inFlight: SharedArrayBuffer, table: { readonly thread: number; readonly threads: number }) {
    this.#cells = new Int32Array(inFlight);
    this.#layout = new InFlightLayout(this.#cells.length, table.threads);
    this.#thread = table.thread;
    this.#word = this.#layout.wordAt(table.thread);
    this.#operations = this.#cells[this.#word] ?? 0;
  }

  /** Requests in flight on the pod, of all threads. */
  total(slot: number): number {
    return Atomics.load(this.#cells, this.#layout.totalAt(slot));
  }

  /** Takes one place of `limit`; false when all are taken. Never more than `limit` places are out. */
  tryAcquire(slot: number, limit: number): boolean {
    const cells = this.#cells;
    const total = this.#layout.totalAt(slot);
    let seen = Atomics.load(cells, total);
    if (seen >= limit) return false;
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
    while (seen < limit) {
      const before = Atomics.compareExchange(cells, total, seen, seen + 1);
      if (before === seen) {
        Atomics.add(cells, this.#layout.columnAt(slot, this.#thread), 1);
        break;
      }
      seen = before;
    }
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
    return seen < limit;
  }

  /** Places in the own column. */
  held(slot: number): number {
    return Atomics.load(this.#cells, this.#layout.columnAt(slot, this.#thread));
  }

  /** So many places more, whatever the limit (somebody has them already), or fewer. */
  hold(slot: number, places: number): void {
    const cells = this.#cells;
    const column = this.#layout.columnAt(slot, this.#thread);
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
    if (places < 0) Atomics.add(cells, column, places);
    Atomics.add(cells, this.#layout.totalAt(slot), places);
    if (places > 0) Atomics.add(cells, column, places);
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
  }

  /** Own share first: the total is never less than the columns. */
  release(slot: number): void {
    const cells = this.#cells;
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
    Atomics.sub(cells, this.#layout.columnAt(slot, this.#thread), 1);
    Atomics.sub(cells, this.#layout.totalAt(slot), 1);
    this.#operations = (this.#operations + 1) | 0;
    Atomics.store(cells, this.#word, this.#operations);
  }
}
