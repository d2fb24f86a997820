// How threads tell each other of free places: per revision and thread since when a request waits, per thread a bell and which
// revisions it rings for. A thread says that it waits *before* it looks for a place once more, and whoever frees a place does so
// *before* it looks who waits: one of the two always sees the other.
//
// The control thread is one of them, for those who wait in other platforms while one hands over to the next (src/gateway/lent). It
// watches then: threads tell it how many wait after they have looked for places.

const LINE = 16;
/** A thread that left the place alone that it was called for is passed over for so long. */
const DEAF_MS = 20;

/** Bytes of `GatewayStart.doorbell`. */
export function doorbellBytes(threads: number, rows: number): number {
  return 4 * ((threads + 1) * bellCells(rows) + rows * rowCells(threads + 1));
}

/** A thread's bell on a line of its own (the control thread's second cell: whether it watches), then a bit a row. */
function bellCells(rows: number): number {
  return LINE + LINE * Math.ceil(rows / 32 / LINE);
}

/** Since when a request of each waits, then how many do. */
function rowCells(parties: number): number {
  return LINE * Math.ceil((2 * parties) / LINE);
}

/** A moment as the table holds it: milliseconds of monotonic time in 32 bits, never 0. */
export function stampOf(nowMs: number): number {
  return Math.trunc(nowMs) | 0 || 1;
}

/** Whether `a` was before `b`; they are less than 24 days apart. */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export interface DoorbellTable {
  /** Own number; `threads` is the control thread's, -1 nobody's. */
  readonly thread: number;
  readonly threads: number;
  /** Revisions that can have waiters in several threads. */
  readonly rows: number;
  readonly nowMs: () => number;
}

export class Doorbell {
  readonly #cells: Int32Array<SharedArrayBuffer> | undefined;
  readonly #table: DoorbellTable;
  readonly #parties: number;
  readonly #bellCells: number;
  readonly #rowCells: number;
  readonly #deafUntilMs: number[];

  /** Without a buffer it does nothing. */
  constructor(doorbell: SharedArrayBuffer | undefined, table: DoorbellTable) {
    this.#cells = doorbell === undefined ? undefined : new Int32Array(doorbell);
    this.#table = table;
    this.#parties = table.threads + 1;
    this.#bellCells = bellCells(table.rows);
    this.#rowCells = rowCells(this.#parties);
    this.#deafUntilMs = Array.from({ length: this.#parties }, () => 0);
  }

  /** Whether other threads can free places for this row, and have to be told of those freed here. */
  serves(row: number): boolean {
    return this.#cells !== undefined && row >= 0 && row < this.#table.rows;
  }

  /** Since when this thread's oldest request waits for the row; 0: none does. */
  publish(row: number, since: number): void {
    if (this.#cells !== undefined) Atomics.store(this.#cells, this.#since(row, this.#table.thread), since);
  }

  /** Since when the oldest request of a thread waits; 0: none does. */
  since(row: number, thread: number): number {
    return this.#cells === undefined ? 0 : Atomics.load(this.#cells, this.#since(row, thread));
  }

  /** Whether a request of another thread waits. */
  othersWait(row: number): boolean {
    for (let thread = 0; thread < this.#parties; thread++) {
      if (thread !== this.#table.thread && this.since(row, thread) !== 0) return true;
    }
    return false;
  }

  /** The other thread whose request has waited longest, and since before `before` when that is given; -1: there is none that comes. */
  eldest(row: number, before?: number): number {
    let eldest = -1;
    let least = 0;
    for (let thread = 0; thread < this.#parties; thread++) {
      if (thread === this.#table.thread) continue;
      const since = this.since(row, thread);
      if (since === 0 || (before !== undefined && !isBefore(since, before))) continue;
      if (eldest >= 0 && !isBefore(since, least)) continue;
      if (this.#isDeaf(thread)) continue;
      eldest = thread;
      least = since;
    }
    return eldest;
  }

  /** The same over all other threads, those that did not come included. */
  eldestOfAll(row: number): number {
    let eldest = -1;
    let least = 0;
    for (let thread = 0; thread < this.#parties; thread++) {
      if (thread === this.#table.thread) continue;
      const since = this.since(row, thread);
      if (since === 0 || (eldest >= 0 && !isBefore(since, least))) continue;
      eldest = thread;
      least = since;
    }
    return eldest;
  }

  /** So many requests of this thread wait and found no place: told to the control thread when it watches. */
  tell(row: number, waiting: number): void {
    const cells = this.#cells;
    const { thread, threads } = this.#table;
    if (cells === undefined || thread === threads || Atomics.load(cells, threads * this.#bellCells + 1) === 0) return;
    Atomics.store(cells, this.#since(row, thread) + this.#parties, waiting);
    this.ring(row, threads);
  }

  /** How many requests of other threads waited when these last told. */
  toldByAll(row: number): number {
    const cells = this.#cells;
    let told = 0;
    if (cells === undefined) return told;
    for (let thread = 0; thread < this.#table.threads; thread++) {
      if (this.since(row, thread) !== 0) told += Math.max(1, Atomics.load(cells, this.#since(row, thread) + this.#parties));
    }
    return told;
  }

  /** The control thread wants to be told who waits, or no longer. */
  watch(watches: boolean): void {
    if (this.#cells !== undefined) Atomics.store(this.#cells, this.#table.threads * this.#bellCells + 1, watches ? 1 : 0);
  }

  /** A thread did not come when it was called: others go first for a while. */
  passOver(thread: number): void {
    this.#deafUntilMs[thread] = this.#table.nowMs() + DEAF_MS;
  }

  /** Wakes one thread for one row. */
  ring(row: number, thread: number): void {
    const cells = this.#cells;
    if (cells === undefined) return;
    const bell = thread * this.#bellCells;
    Atomics.or(cells, bell + LINE + (row >> 5), 1 << (row & 31));
    Atomics.add(cells, bell, 1);
    Atomics.notify(cells, bell);
  }

  /** Whether the thread has looked since it was rung for the row. */
  hasHeard(row: number, thread: number): boolean {
    return this.#cells === undefined || (Atomics.load(this.#cells, thread * this.#bellCells + LINE + (row >> 5)) & (1 << (row & 31))) === 0;
  }

  /** The rows that this thread's bell has rung for since the last time. */
  rung(): number[] {
    const rows: number[] = [];
    const cells = this.#cells;
    if (cells === undefined) return rows;
    const first = this.#table.thread * this.#bellCells + LINE;
    for (let word = 0; word * 32 < this.#table.rows; word++) {
      if (Atomics.load(cells, first + word) === 0) continue;
      const bits = Atomics.exchange(cells, first + word, 0);
      for (let bit = 0; bit < 32; bit++) if ((bits & (1 << bit)) !== 0) rows.push(word * 32 + bit);
    }
    return rows;
  }

  /** Nobody of a dead thread waits, and nothing rings for it. */
  silence(thread: number): void {
    const cells = this.#cells;
    if (cells === undefined) return;
    for (let row = 0; row < this.#table.rows; row++) Atomics.store(cells, this.#since(row, thread), 0);
    for (let word = 0; word * 32 < this.#table.rows; word++) Atomics.store(cells, thread * this.#bellCells + LINE + word, 0);
  }

  /** This thread was rung for a row of which it has no request any more: another gets its chance. */
  passOn(row: number): void {
    const thread = this.eldestOfAll(row);
    if (thread >= 0) this.ring(row, thread);
  }

  /** Rings once for every row for which somebody waits: places may be free that nobody rang for. */
  ringAll(): void {
    if (this.#cells === undefined) return;
    for (let row = 0; row < this.#table.rows; row++) this.passOn(row);
  }

  /** Calls `called` after each ring of another thread, until the signal aborts. */
  async listen(called: () => void, signal: AbortSignal): Promise<void> {
    const cells = this.#cells;
    if (cells === undefined) return;
    const bell = this.#table.thread * this.#bellCells;
    const stop = (): void => {
      Atomics.add(cells, bell, 1);
      Atomics.notify(cells, bell);
    };
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const heard = Atomics.load(cells, bell);
      called();
      const wait = Atomics.waitAsync(cells, bell, heard);
      if (wait.async) await wait.value;
    }
    signal.removeEventListener("abort", stop);
  }

  #isDeaf(thread: number): boolean {
    const untilMs = this.#deafUntilMs[thread] ?? 0;
    return untilMs > 0 && this.#table.nowMs() < untilMs;
  }

  #since(row: number, thread: number): number {
    return this.#parties * this.#bellCells + row * this.#rowCells + thread;
  }
}
