// Offsets by due time: a binary heap whose stale entries are dropped when they come to the top.

interface Entry {
  readonly offset: number;
  readonly dueMs: number;
}

/** Smaller first; of one moment the older record. */
function before(one: Entry, other: Entry): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.offset < other.offset);
}

export class DueQueue {
  readonly #heap: Entry[] = [];

  add(offset: number, dueMs: number): void {
    const heap = this.#heap;
    const entry = { offset, dueMs };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest whose due time is still the one it was added with; `dueOf` tells what it is now. */
  first(dueOf: (offset: number) => number | undefined): Entry | undefined {
    for (;;) {
      const [top] = this.#heap;
      if (top === undefined || dueOf(top.offset) === top.dueMs) return top;
      this.shift();
    }
  }

  shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}
