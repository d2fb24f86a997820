// The store in memory: for tests and simulations, with the same contract as the one on disk.
import type { Clock } from "#core";
import { holds, prefixEnd } from "./expectation.ts";
import type { Entry, Listed, ListOptions, Removal, Restamp, Snapshot, SnapshotOptions, Store, WatchOptions, Write, Written } from "./port.ts";
import { listFrom, RangeSnapshot, type KeyRange, type NewestState, type Piece } from "./snapshot.ts";
import { WatchWindow } from "./window.ts";

interface Options {
  readonly clock: Clock;
  readonly windowBytesMax?: number;
  /** The first revision is one more. */
  readonly startRevision?: number;
  /** Default: expired values stay as they are. */
  readonly restamp?: Restamp;
}

export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #window: WatchWindow;
  readonly #restamp: Restamp;
  readonly #entries = new Map<string, Entry & { readonly expiresAtMs: number | undefined }>();
  /** Keys in order. */
  readonly #sorted: string[] = [];
  readonly #newest: NewestState = { piece: (range, limit) => this.#piece(range, limit), count: (range) => this.#bounds(range).end - this.#bounds(range).first };
  #revision: number;

  constructor(options: Options) {
    this.#clock = options.clock;
    this.#restamp = options.restamp ?? ((value) => value);
    this.#revision = options.startRevision ?? 0;
    this.#window = new WatchWindow(options.windowBytesMax ?? 32 << 20, this.#revision);
  }

  get revision(): number {
    return this.#revision;
  }

  get durableRevision(): number {
    return this.#revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#entries.get(key);
  }

  async list(options: ListOptions): Promise<Listed> {
    return listFrom(this.snapshot(options), options);
  }

  snapshot(options: SnapshotOptions): Snapshot {
    return new RangeSnapshot(this.#newest, this.#window, { ...options, at: options.at ?? this.#revision });
  }

  async count(prefix: string): Promise<number> {
    return this.#newest.count({ from: prefix, after: "", end: prefixEnd(prefix) });
  }

  async put(write: Write): Promise<Written> {
    const current = this.#entries.get(write.key);
    if (!holds(write.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = write.encode(revision);
    const expiresAtMs = write.ttlMs === undefined ? undefined : this.#clock.wallMs() + write.ttlMs;
    if (current === undefined) this.#sorted.splice(this.#indexOf(write.key), 0, write.key);
    this.#entries.set(write.key, { key: write.key, value, revision, expiresAtMs });
    this.#publish({ type: "put", key: write.key, revision, value, previous: current?.value, previousRevision: current?.revision });
    return { ok: true, revision, value };
  }

  async delete(removal: Removal): Promise<Written> {
    const current = this.#entries.get(removal.key);
    if (current === undefined || !holds(removal.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = removal.encode(revision);
    this.#entries.delete(removal.key);
    this.#sorted.splice(this.#indexOf(removal.key), 1);
    this.#publish({ type: "delete", key: removal.key, revision, value, previous: current.value, previousRevision: current.revision });
    return { ok: true, revision, value };
  }

  watch(options: WatchOptions): () => void {
    return this.#window.watch(options);
  }

  /** Forgets the history up to `revision`, as etcd does when it compacts: for tests of what has expired. */
  compact(revision: number): void {
    this.#window.forget(revision);
  }

  /** Deletes what has outlived its time. */
  async expire(): Promise<void> {
    const now = this.#clock.wallMs();
    for (const entry of [...this.#entries.values()]) {
      if (entry.expiresAtMs === undefined || entry.expiresAtMs > now) continue;
      await this.delete({ key: entry.key, expect: entry.revision, durability: "rebuildable", encode: (revision) => this.#restamp(entry.value, revision) });
    }
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#sorted.length = 0;
  }

  #publish(event: Parameters<WatchWindow["append"]>[0]): void {
    this.#window.append(event);
    this.#window.advance(event.revision);
  }

  #piece(range: KeyRange, limit: number): Piece {
    const { first, end } = this.#bounds(range);
    const keys = this.#sorted.slice(first, Math.min(end, first + limit));
    return { entries: keys.map((key) => this.#entries.get(key) as Entry), upTo: first + keys.length < end ? keys.at(-1) : undefined };
  }

  #bounds({ from, after, end }: KeyRange): { readonly first: number; readonly end: number } {
    const first = this.#indexOf(from);
    return { first: this.#sorted[first] === after ? first + 1 : first, end: Math.max(first, this.#indexOf(end)) };
  }

  /** Index of the first key that is not smaller. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
