// The store in memory: for tests and simulations, with the same contract as the one on disk.
import type { Clock } from "#core";
import { holds } from "./expectation.ts";
import type { Entry, Listed, ListOptions, Removal, Restamp, Store, WatchOptions, Write, Written } from "./port.ts";
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
  /** Keys in order; rebuilt when keys came or went. */
  #sorted: string[] | undefined = [];
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
    const limit = options.limit ?? Number.MAX_SAFE_INTEGER;
    const keys = this.#keys().filter((key) => key.startsWith(options.prefix) && (options.after === undefined || key > options.after));
    const entries = keys.slice(0, limit).map((key) => this.#entries.get(key) as Entry);
    return { entries, revision: this.#revision, more: keys.length > limit };
  }

  async count(prefix: string): Promise<number> {
    return this.#keys().filter((key) => key.startsWith(prefix)).length;
  }

  async put(write: Write): Promise<Written> {
    const current = this.#entries.get(write.key);
    if (!holds(write.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = write.encode(revision);
    const expiresAtMs = write.ttlMs === undefined ? undefined : this.#clock.wallMs() + write.ttlMs;
    if (current === undefined) this.#sorted = undefined;
    this.#entries.set(write.key, { key: write.key, value, revision, expiresAtMs });
    this.#publish({ type: "put", key: write.key, revision, value, previous: current?.value });
    return { ok: true, revision, value };
  }

  async delete(removal: Removal): Promise<Written> {
    const current = this.#entries.get(removal.key);
    if (current === undefined || !holds(removal.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = removal.encode(revision);
    this.#entries.delete(removal.key);
    this.#sorted = undefined;
    this.#publish({ type: "delete", key: removal.key, revision, value, previous: current.value });
    return { ok: true, revision, value };
  }

  watch(options: WatchOptions): () => void {
    return this.#window.watch(options);
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
    this.#sorted = [];
  }

  #publish(event: Parameters<WatchWindow["append"]>[0]): void {
    this.#window.append(event);
    this.#window.advance(event.revision);
  }

  #keys(): readonly string[] {
    this.#sorted ??= [...this.#entries.keys()].sort();
    return this.#sorted;
  }
}
