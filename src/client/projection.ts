// One projection of a kind: the kept fields of each object by key, indexes over them and those who listen.
import { isDeepStrictEqual } from "node:util";
import type { ObjectKey } from "#schema";

/** A change of what is kept; `key` is `namespace/name`, or `name` for cluster-scoped kinds. */
export interface Change<P> {
  readonly type: "added" | "changed" | "removed";
  readonly key: string;
  readonly before?: P;
  readonly after?: P;
}

/** What users of an informer see: reads answer from memory, at most as fresh as the last event. */
export interface Informer<P> {
  /** Resolves once the first list is in; rejects when the informer ends before. */
  readonly synced: Promise<void>;
  get(namespace: string, name: string): P | undefined;
  /** All, or those of one namespace. */
  list(namespace?: string): readonly P[];
  /** Called synchronously in order of events; must not throw. Returns the unsubscriber. Nothing is replayed. */
  onChange(listener: (change: Change<P>) => void): () => void;
  /** An index over all present and future rows; a second one of the same name replaces the first. */
  addIndex(name: string, keysOf: (row: P) => readonly string[]): void;
  byIndex(name: string, key: string): readonly P[];
  /** Keys of the rows that `byIndex` answers with. */
  keysByIndex(name: string, key: string): readonly string[];
  readonly size: number;
}

/** `namespace/name`, or `name` when the namespace is "". */
export function keyOf(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The key that `keyOf` wrote. */
export function keyFrom(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { namespace: "", name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** Which rows have a value, by their keys: most values have one row, which then needs no set. */
interface Index<P> {
  readonly keysOf: (row: P) => readonly string[];
  readonly keys: Map<string, string | Set<string>>;
}

/** The state behind an Informer; a source feeds it. */
export class Projection<P> implements Informer<P> {
  readonly synced: Promise<void>;
  #markSynced: () => void = () => {};
  #markFailed: (error: unknown) => void = () => {};
  readonly #rows = new Map<string, P>();
  readonly #indexes = new Map<string, Index<P>>();
  readonly #listeners = new Set<(change: Change<P>) => void>();

  constructor() {
    this.synced = new Promise((resolve, reject) => {
      this.#markSynced = resolve;
      this.#markFailed = reject;
    });
    this.synced.catch(() => {});
  }

  get size(): number {
    return this.#rows.size;
  }

  get(namespace: string, name: string): P | undefined {
    return this.#rows.get(keyOf(namespace, name));
  }

  list(namespace?: string): readonly P[] {
    if (namespace === undefined) return [...this.#rows.values()];
    const prefix = `${namespace}/`;
    return [...this.#rows].filter(([key]) => key.startsWith(prefix)).map(([, row]) => row);
  }

  onChange(listener: (change: Change<P>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addIndex(name: string, keysOf: (row: P) => readonly string[]): void {
    const index: Index<P> = { keysOf, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, row] of this.#rows) insert(index, key, row);
  }

  keysByIndex(name: string, key: string): readonly string[] {
    const found = this.#indexes.get(name)?.keys.get(key) ?? [];
    return typeof found === "string" ? [found] : [...found];
  }

  byIndex(name: string, key: string): readonly P[] {
    const found = this.#indexes.get(name)?.keys.get(key) ?? [];
    const rows: P[] = [];
    for (const at of typeof found === "string" ? [found] : found) {
      const row = this.#rows.get(at);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /**
   * Stores a row, or removes it when undefined; tells listeners only when something kept has changed.
   * `last` is what a deletion itself showed of the object: newer than what is stored.
   */
  put(key: string, after: P | undefined, last?: P): void {
    const before = this.#rows.get(key);
    if (after === undefined ? before === undefined : isDeepStrictEqual(before, after)) return;
    for (const index of this.#indexes.values()) {
      if (before !== undefined) remove(index, key, before);
      if (after !== undefined) insert(index, key, after);
    }
    if (after === undefined) this.#rows.delete(key);
    else this.#rows.set(key, after);
    const type = before === undefined ? "added" : after === undefined ? "removed" : "changed";
    const change: Change<P> = { type, key, ...(before === undefined ? {} : { before: last ?? before }), ...(after === undefined ? {} : { after }) };
    this.#tell(change);
  }

  /** All listeners hear of it before the error of one is thrown. */
  #tell(change: Change<P>): void {
    const errors: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** After a list: what is not in it is gone. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#rows.keys()) if (!keys.has(key)) this.put(key, undefined);
  }

  settle(): void {
    this.#markSynced();
  }

  fail(error: unknown): void {
    this.#markFailed(error);
  }
}

function insert<P>(index: Index<P>, key: string, row: P): void {
  for (const at of index.keysOf(row)) {
    const known = index.keys.get(at);
    if (known === undefined || known === key) index.keys.set(at, key);
    else if (typeof known === "string") index.keys.set(at, new Set([known, key]));
    else known.add(key);
  }
}

function remove<P>(index: Index<P>, key: string, row: P): void {
  for (const at of index.keysOf(row)) {
    const known = index.keys.get(at);
    if (known === key) index.keys.delete(at);
    else if (known instanceof Set && known.delete(key) && known.size === 0) index.keys.delete(at);
  }
}
