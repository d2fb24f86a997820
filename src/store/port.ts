// The store as its users see it: revisioned keys with values as text, and a window of recent changes to watch.

/**
 * `durable`: answered once it is on disk. `rebuildable`: answered at once, joins the next group commit;
 * a crash may lose it, and its writer makes it again. (Decision 5.)
 */
export type Durability = "durable" | "rebuildable";

/** Brings a value to the revision at which it expires; the store itself does not read values. */
export type Restamp = (value: string, revision: number) => string;

export interface Entry {
  readonly key: string;
  /** JSON text; the store never reads it. */
  readonly value: string;
  /** Revision of the last change of this key. */
  readonly revision: number;
}

export interface StoreEvent {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly revision: number;
  /** The new value; for a deletion the last one, as encoded by the deleter. */
  readonly value: string;
  /** The value before, when the key existed, and the revision that it had. */
  readonly previous: string | undefined;
  readonly previousRevision: number | undefined;
}

/** What a write expects of the key: a revision, `absent`, or nothing (`any`). */
export type Expectation = number | "absent" | "any";

export interface Write {
  readonly key: string;
  /** Builds the value once its revision is known, so that the value can hold it. */
  readonly encode: (revision: number) => string;
  readonly expect: Expectation;
  readonly durability: Durability;
  /** Wall-clock lifetime; the entry is deleted after it (Events). */
  readonly ttlMs?: number;
}

export type Removal = Omit<Write, "ttlMs">;

/** `ok: false` tells what stands in the way; `current` is undefined when the key does not exist. */
export type Written = { readonly ok: true; readonly revision: number; readonly value: string } | { readonly ok: false; readonly current: Entry | undefined };

export interface ListOptions {
  readonly prefix: string;
  /** Only keys greater than this one: the place to go on from. */
  readonly after?: string;
  readonly limit?: number;
}

export interface Listed {
  readonly entries: readonly Entry[];
  /** The store's revision that the list shows. */
  readonly revision: number;
  readonly more: boolean;
}

export interface SnapshotOptions {
  readonly prefix: string;
  /** Only keys greater than this one: the place to go on from. */
  readonly after?: string;
  /** The revision to show; the latest when left out. Not of the future. */
  readonly at?: number;
}

/** Entries in order of keys; `more` tells whether any follow. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly more: boolean;
}

/**
 * What lies below a prefix, as it was at one revision, read page by page while others write. Once open it does not
 * expire: it keeps the old states of what changes ahead of the reader, at most one a key, until it has passed them.
 */
export interface Snapshot {
  readonly revision: number;
  /** The next entries, at most `limit`, and fewer when they are large. Reads in one turn of the event loop. */
  next(limit: number): Promise<Page>;
  /** How many entries are still to come. */
  remaining(): Promise<number>;
  /** Forgets what it keeps. A snapshot that is not closed costs with every change. */
  close(): void;
}

export interface WatchOptions {
  readonly prefix: string;
  /** Events with a greater revision are delivered. */
  readonly after: number;
  /** `immediate`: as soon as assigned (our own parts); `durable`: once on disk (outside clients). */
  readonly visibility: "immediate" | "durable";
  /** Called in order of revisions, synchronously; must not throw and must not block. */
  readonly onEvents: (events: readonly StoreEvent[]) => void;
}

/**
 * One ordered space of keys. Revisions are integers that only grow, also over restarts: after a start the counter
 * leaps past everything that can have been seen.
 */
export interface Store {
  /** The latest assigned revision. */
  readonly revision: number;
  /** The latest revision that is on disk; equal to `revision` for a store in memory. */
  readonly durableRevision: number;
  get(key: string): Promise<Entry | undefined>;
  /** In order of keys, in one turn of the event loop: for what is known to be short. Long reads take a snapshot. */
  list(options: ListOptions): Promise<Listed>;
  /** Throws StatusError `Expired` when `at` is older than the watch window. */
  snapshot(options: SnapshotOptions): Snapshot;
  count(prefix: string): Promise<number>;
  put(write: Write): Promise<Written>;
  /** Deleting a missing key is `ok: false` without `current`. */
  delete(removal: Removal): Promise<Written>;
  /** Returns the unsubscriber. Throws StatusError `Expired` when `after` is older than the window. */
  watch(options: WatchOptions): () => void;
  /** Waits until everything written so far is on disk, then releases all resources. */
  close(): Promise<void>;
}
