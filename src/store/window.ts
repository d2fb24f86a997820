// The watch window: recent events within a byte limit (what is not on disk yet comes on top), and those who follow them.
import { assert, expired } from "#core";
import type { StoreEvent, WatchOptions } from "./port.ts";

/** What one event costs beside its texts. */
const EVENT_OVERHEAD_BYTES = 200;

interface Watcher extends WatchOptions {
  /** Revision of the last event that was delivered (or skipped as older). */
  seen: number;
}

/** Delivers events in order, to `immediate` watchers when appended and to `durable` ones when `advance` says so. */
export class WatchWindow {
  readonly #bytesMax: number;
  readonly #watchers = new Set<Watcher>();
  #events: StoreEvent[] = [];
  /** Events before this index were dropped; the array is cut when that pays. */
  #head = 0;
  #bytes = 0;
  #floor: number;
  #durable: number;

  /** `floor` is the revision before the first event that can be watched. */
  constructor(bytesMax: number, floor: number) {
    this.#bytesMax = bytesMax;
    this.#floor = floor;
    this.#durable = floor;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(event: StoreEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    this.#trim();
    const alone = [event];
    for (const watcher of this.#watchers) {
      if (watcher.visibility === "immediate") deliver(watcher, alone);
    }
  }

  /** Everything up to `revision` is on disk. */
  advance(revision: number): void {
    assert(revision >= this.#durable, "durability never goes back");
    const from = this.#durable;
    this.#durable = revision;
    // Nearly all have seen what was on disk before; they share the rest.
    const news = this.#between(from, revision);
    for (const watcher of this.#watchers) {
      if (watcher.visibility !== "durable") continue;
      deliver(watcher, watcher.seen === from ? news : this.#between(watcher.seen, revision));
      watcher.seen = Math.max(watcher.seen, revision);
    }
    this.#trim();
  }

  watch(options: WatchOptions): () => void {
    if (options.after < this.#floor) throw expired(`too old resource version: ${options.after} (${this.#floor + 1})`);
    const watcher: Watcher = { ...options, seen: options.after };
    const visible = options.visibility === "immediate" ? Number.MAX_SAFE_INTEGER : this.#durable;
    this.#watchers.add(watcher);
    deliver(watcher, this.#between(options.after, visible));
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Drops events up to `revision`, as far as they are on disk. */
  forget(revision: number): void {
    while (this.#head < this.#events.length) {
      const oldest = this.#events[this.#head]?.revision ?? 0;
      if (oldest > revision || oldest > this.#durable) break;
      this.#drop();
    }
    this.#floor = Math.max(this.#floor, Math.min(revision, this.#durable));
  }

  #between(after: number, upTo: number): StoreEvent[] {
    const from = this.#firstAfter(after);
    const to = this.#firstAfter(upTo);
    return this.#events.slice(from, to);
  }

  /** Index of the first event with a greater revision. */
  #firstAfter(revision: number): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Events that are not on disk yet stay: who follows what is has not seen them. */
  #trim(): void {
    while (this.#bytes > this.#bytesMax && this.#head < this.#events.length - 1) {
      if ((this.#events[this.#head]?.revision ?? 0) > this.#durable) return;
      this.#drop();
    }
  }

  #drop(): void {
    const event = this.#events[this.#head];
    assert(event !== undefined, "there is an event to drop");
    this.#floor = event.revision;
    this.#bytes -= sizeOf(event);
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }
}

function sizeOf(event: StoreEvent): number {
  return EVENT_OVERHEAD_BYTES + event.key.length + event.value.length + (event.previous?.length ?? 0);
}

function deliver(watcher: Watcher, events: readonly StoreEvent[]): void {
  const isWanted = (event: StoreEvent): boolean => event.revision > watcher.seen && event.key.startsWith(watcher.prefix);
  const wanted = events.every(isWanted) ? events : events.filter(isWanted);
  const last = events[events.length - 1];
  if (last !== undefined) watcher.seen = Math.max(watcher.seen, last.revision);
  if (wanted.length > 0) watcher.onEvents(wanted);
}
