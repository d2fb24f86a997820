// A range of keys at one revision: the newest state, with what has changed since put back.
import type { Entry, Listed, ListOptions, Page, Snapshot, SnapshotOptions, StoreEvent } from "./port.ts";
import { prefixEnd } from "./expectation.ts";
import type { WatchWindow } from "./window.ts";

/** Keys from `from` (without it when `after` is the same) up to but not including `end`. */
export interface KeyRange {
  readonly from: string;
  readonly after: string;
  readonly end: string;
}

/** A piece of the newest state. `upTo` is the last key that the piece has seen, undefined at the end of the range. */
export interface Piece {
  readonly entries: readonly Entry[];
  readonly upTo: string | undefined;
}

/** What a snapshot reads from; both see every write that has a revision. */
export interface NewestState {
  /** At least one entry when there are any, about `limit` or as many as a turn of the loop allows. */
  piece(range: KeyRange, limit: number): Piece;
  count(range: KeyRange): number;
}

interface Undo {
  /** The state at the snapshot's revision; undefined when there was none. */
  readonly was: Entry | undefined;
  /** Whether the key exists in the newest state. */
  exists: boolean;
}

export class RangeSnapshot implements Snapshot {
  readonly revision: number;
  readonly #state: NewestState;
  readonly #end: string;
  /** Changed keys ahead of the reader. */
  readonly #undo = new Map<string, Undo>();
  readonly #unsubscribe: () => void;
  #from: string;
  #after: string;

  /** `options.at` is checked by the window, which throws Expired. */
  constructor(state: NewestState, window: WatchWindow, options: SnapshotOptions & { readonly at: number }) {
    this.revision = options.at;
    this.#state = state;
    this.#after = options.after ?? "";
    this.#from = this.#after === "" ? options.prefix : this.#after;
    this.#end = prefixEnd(options.prefix);
    const remember = (events: readonly StoreEvent[]): void => events.forEach((event) => this.#remember(event));
    this.#unsubscribe = window.watch({ prefix: options.prefix, after: options.at, visibility: "immediate", onEvents: remember });
  }

  async next(limit: number): Promise<Page> {
    const entries: Entry[] = [];
    let range = this.#range();
    let upTo: string | undefined;
    // At least one entry more than is handed out, so that `more` is certain.
    do {
      const piece = this.#state.piece(range, limit + 1 - entries.length);
      upTo = piece.upTo;
      entries.push(...withChanges(piece.entries, this.#before(range.after, upTo)));
      range = { ...range, from: upTo ?? range.end, after: upTo ?? range.end };
    } while (upTo !== undefined && entries.length < 2);
    const more = upTo !== undefined || entries.length > limit;
    const taken = more ? entries.slice(0, Math.min(limit, entries.length - 1)) : entries;
    this.#pass(more ? (taken.at(-1)?.key ?? this.#after) : this.#end);
    return { entries: taken, more };
  }

  async remaining(): Promise<number> {
    let count = this.#state.count(this.#range());
    for (const { was, exists } of this.#undo.values()) count += Number(was !== undefined) - Number(exists);
    return count;
  }

  close(): void {
    this.#unsubscribe();
    this.#undo.clear();
  }

  #range(): KeyRange {
    return { from: this.#from, after: this.#after, end: this.#end };
  }

  /** Moves the reader on; what lies behind it need not be remembered. */
  #pass(key: string): void {
    this.#after = key;
    this.#from = key;
    for (const changed of this.#undo.keys()) {
      if (changed <= key) this.#undo.delete(changed);
    }
  }

  #remember(event: StoreEvent): void {
    if (event.key < this.#from || event.key === this.#after) return;
    const known = this.#undo.get(event.key);
    if (known !== undefined) known.exists = event.type === "put";
    else this.#undo.set(event.key, { was: stateBefore(event), exists: event.type === "put" });
  }

  /** The changed keys after `after` up to `upTo` (undefined: all) with their state at the snapshot's revision. */
  #before(after: string, upTo: string | undefined): ReadonlyMap<string, Entry | undefined> {
    const states = new Map<string, Entry | undefined>();
    for (const [key, { was }] of this.#undo) {
      if (key > after && (upTo === undefined || key <= upTo)) states.set(key, was);
    }
    return states;
  }
}

function stateBefore({ key, previous, previousRevision }: StoreEvent): Entry | undefined {
  return previous === undefined || previousRevision === undefined ? undefined : { key, value: previous, revision: previousRevision };
}

/** Entries in order of keys after the keys of `changes` have taken the states that it names. */
export function withChanges(entries: readonly Entry[], changes: ReadonlyMap<string, Entry | undefined>): readonly Entry[] {
  if (changes.size === 0) return entries;
  const kept = entries.filter(({ key }) => !changes.has(key));
  const states = [...changes.values()].filter((entry) => entry !== undefined);
  return [...kept, ...states].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** `Store.list`, from a snapshot of the range. */
export async function listFrom(snapshot: Snapshot, { limit = Number.MAX_SAFE_INTEGER }: ListOptions): Promise<Listed> {
  const entries: Entry[] = [];
  let more = true;
  while (more && entries.length < limit) {
    const page = await snapshot.next(limit - entries.length);
    entries.push(...page.entries);
    more = page.more;
  }
  snapshot.close();
  return { entries, revision: snapshot.revision, more };
}
