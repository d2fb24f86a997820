// The Services that Ingresses name, each resolved once, and again when something that it depends on changes.
import type { Reference } from "./ingress-routes.ts";
import type { Resolution } from "./services.ts";

interface Entry {
  readonly reference: Reference;
  /** Keys of the Ingresses that name it. */
  readonly users: Set<string>;
  resolution: Resolution;
  /** Keys of Services and revisions that the resolution depends on. */
  seen: Set<string>;
}

/** A reference whose resolution is another one now. */
export interface ReferenceChange {
  readonly key: string;
  readonly users: ReadonlySet<string>;
}

/** State, no IO. */
export class References {
  readonly #resolve: (reference: Reference, seen: Set<string>) => Resolution;
  readonly #entries = new Map<string, Entry>();
  /** Key of a Service or a revision → keys of the references that depend on it. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #of = new Map<string, ReadonlySet<string>>();
  readonly #touched = new Set<string>();

  constructor(resolve: (reference: Reference, seen: Set<string>) => Resolution) {
    this.#resolve = resolve;
  }

  /** All that `user` names from now on; answers the keys that nobody names any more. */
  use(user: string, references: readonly Reference[]): string[] {
    const before = this.#of.get(user) ?? new Set();
    const now = new Set(references.map(({ key }) => key));
    for (const reference of references) this.#entryOf(reference).users.add(user);
    if (now.size === 0) this.#of.delete(user);
    else this.#of.set(user, now);
    return [...before].filter((key) => !now.has(key) && this.#drop(key, user));
  }

  /** A Service, its endpoints or a revision of this key has changed. */
  touch(key: string): void {
    for (const reference of this.#dependents.get(key) ?? []) this.#touched.add(reference);
  }

  /** Resolves again what was touched. */
  settle(): ReferenceChange[] {
    const changes: ReferenceChange[] = [];
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      const before = JSON.stringify(entry.resolution);
      this.#resolved(entry);
      if (JSON.stringify(entry.resolution) !== before) changes.push({ key, users: entry.users });
    }
    this.#touched.clear();
    return changes;
  }

  /** Keys of the Ingresses that name it. */
  usersOf(key: string): Iterable<string> {
    return this.#entries.get(key)?.users ?? [];
  }

  resolution(key: string): Resolution | undefined {
    return this.#entries.get(key)?.resolution;
  }

  #entryOf(reference: Reference): Entry {
    const known = this.#entries.get(reference.key);
    if (known !== undefined) return known;
    const entry: Entry = { reference, users: new Set(), resolution: { is: "gateway" }, seen: new Set() };
    this.#entries.set(reference.key, entry);
    this.#resolved(entry);
    return entry;
  }

  #resolved(entry: Entry): void {
    this.#forget(entry);
    entry.seen = new Set();
    entry.resolution = this.#resolve(entry.reference, entry.seen);
    for (const key of entry.seen) {
      const dependents = this.#dependents.get(key);
      if (dependents === undefined) this.#dependents.set(key, new Set([entry.reference.key]));
      else dependents.add(entry.reference.key);
    }
  }

  #forget({ seen, reference }: Entry): void {
    for (const key of seen) {
      const dependents = this.#dependents.get(key);
      dependents?.delete(reference.key);
      if (dependents?.size === 0) this.#dependents.delete(key);
    }
  }

  /** True when that was its last user. */
  #drop(key: string, user: string): boolean {
    const entry = this.#entries.get(key);
    entry?.users.delete(user);
    if (entry === undefined || entry.users.size > 0) return false;
    this.#forget(entry);
    this.#entries.delete(key);
    this.#touched.delete(key);
    return true;
  }
}
