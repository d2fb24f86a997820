// Which keys asked for which objects: wakes a Route when something that its traffic names comes, changes or goes.
import type { ObjectKey } from "#schema";

const text = (key: ObjectKey): string => `${key.namespace}/${key.name}`;

/**
 * Remembers references per key, at most as many as the keys' objects hold. Losing it is harmless:
 * every key is reconciled after a start, and tells its references again.
 */
export class Tracker {
  readonly #wanted = new Map<string, { readonly key: ObjectKey; readonly names: ReadonlySet<string> }>();
  readonly #askers = new Map<string, Map<string, ObjectKey>>();

  /** Replaces what `key` refers to; the names are in the key's namespace. */
  track(key: ObjectKey, names: Iterable<string>): void {
    this.forget(key);
    const wanted = new Set(names);
    this.#wanted.set(text(key), { key, names: wanted });
    for (const name of wanted) {
      const reference = text({ namespace: key.namespace, name });
      const askers = this.#askers.get(reference) ?? new Map<string, ObjectKey>();
      askers.set(text(key), key);
      this.#askers.set(reference, askers);
    }
  }

  forget(key: ObjectKey): void {
    const before = this.#wanted.get(text(key));
    if (before === undefined) return;
    this.#wanted.delete(text(key));
    for (const name of before.names) {
      const reference = text({ namespace: key.namespace, name });
      const askers = this.#askers.get(reference);
      askers?.delete(text(key));
      if (askers?.size === 0) this.#askers.delete(reference);
    }
  }

  /** The keys that refer to the object of this name. */
  askersOf(reference: ObjectKey): readonly ObjectKey[] {
    return [...(this.#askers.get(text(reference))?.values() ?? [])];
  }
}
