// Whom of many subscribers an event concerns. Each is filed under what some attribute must be for it to match; an event asks only those
// that are filed under its own values, and those of whom nothing of the kind is known.
import type { Need } from "#cesql";
import { canonical } from "../cloudevents/event.ts";
import type { Attributes, Match, Matcher } from "./matcher.ts";

interface Entry<T> {
  readonly value: T;
  readonly matches: Match;
  /** Undefined: it is asked about every event. */
  readonly filedUnder: Need | undefined;
}

/** Values of one attribute under which a subscriber is filed; with more it is asked about every event. */
const VALUES_MAX = 64;

export class FilterIndex<T> {
  readonly #entries = new Map<string, Entry<T>>();
  /** By attribute and value. No bucket is empty. */
  readonly #filed = new Map<string, Map<string, Set<Entry<T>>>>();
  readonly #unfiled = new Set<Entry<T>>();

  /** Replaces what has the same id. */
  set(id: string, { matches, needs }: Matcher, value: T): void {
    this.delete(id);
    const entry: Entry<T> = { value, matches, filedUnder: this.#leastCrowded(needs) };
    this.#entries.set(id, entry);
    if (entry.filedUnder === undefined) this.#unfiled.add(entry);
    else for (const bucket of this.#buckets(entry.filedUnder)) bucket.add(entry);
  }

  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#unfiled.delete(entry);
    const { filedUnder } = entry;
    const buckets = filedUnder && this.#filed.get(filedUnder.attribute);
    if (filedUnder === undefined || buckets === undefined) return;
    for (const value of filedUnder.values) {
      const bucket = buckets.get(value);
      if (bucket?.delete(entry) === true && bucket.size === 0) buckets.delete(value);
    }
    if (buckets.size === 0) this.#filed.delete(filedUnder.attribute);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** In no order. */
  matching(attributes: Attributes): T[] {
    const found: T[] = [];
    for (const [name, value] of attributes) {
      const buckets = this.#filed.get(name);
      if (buckets !== undefined) collect(buckets.get(canonical(value)), attributes, found);
    }
    collect(this.#unfiled, attributes, found);
    return found;
  }

  /** Where the fewest others are, so that what all share (a type, say) does not gather them. */
  #leastCrowded(needs: readonly Need[]): Need | undefined {
    let best: Need | undefined;
    let bestCrowd = Infinity;
    for (const need of needs) {
      if (need.values.size > VALUES_MAX) continue;
      const buckets = this.#filed.get(need.attribute);
      let crowd = 0;
      for (const value of need.values) crowd += buckets?.get(value)?.size ?? 0;
      if (crowd < bestCrowd) [best, bestCrowd] = [need, crowd];
    }
    return best;
  }

  #buckets({ attribute, values }: Need): Set<Entry<T>>[] {
    const buckets = this.#filed.get(attribute) ?? new Map<string, Set<Entry<T>>>();
    this.#filed.set(attribute, buckets);
    return [...values].map((value) => {
      const bucket = buckets.get(value) ?? new Set();
      buckets.set(value, bucket);
      return bucket;
    });
  }
}

function collect<T>(entries: ReadonlySet<Entry<T>> | undefined, attributes: Attributes, found: T[]): void {
  if (entries === undefined) return;
  for (const entry of entries) if (entry.matches(attributes)) found.push(entry.value);
}
