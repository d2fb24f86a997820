// What a Broker or a channel took lately, so that an event that is sent again is acknowledged and not stored again.
import { assert, type Clock, type Logger } from "#core";
import { LogError } from "#log";
import type { EventLog, StreamLog } from "../port.ts";
import type { Budget } from "../budget.ts";
import { identityOfRecord } from "./identity.ts";

/** Of all Brokers and channels; some 200 octets each. */
export const RECENT_EVENTS_MAX = 500_000;
const PAGE = 1_000;

export interface RecentEventsOptions {
  readonly windowMs: number;
  /** As the log calls it. */
  readonly name: string;
  readonly stream: Pick<StreamLog, "search">;
  readonly log: Pick<EventLog, "read" | "sync">;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry {
  /** When it was taken, by the wall clock: a restart finds the same. */
  readonly atMs: number;
  /** Its offset, or the promise of it while it is on its way to the disk. */
  place: number | Promise<number>;
  /** The disk has not said in time whether it keeps the record at this place. */
  inDoubt?: number;
}

interface Claim {
  readonly identity: string;
  readonly entry: Entry;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: unknown) => void;
}

export interface Deduplicated {
  /** Of each event; of one that came again, of its first. */
  readonly offsets: readonly number[];
  readonly duplicates: number;
}

export class RecentEvents {
  readonly #options: RecentEventsOptions;
  /** What came first is first. */
  readonly #known = new Map<string, Entry>();
  readonly #end = new AbortController();
  /** Events that were forgotten before their time, for want of room. */
  forgotten = 0;
  /** Resolves once what the log has is known; nothing is judged before. Undefined: it is. */
  ready: Promise<void> | undefined;

  /** Learns at once what the log has of the window. */
  constructor(options: RecentEventsOptions) {
    this.#options = options;
    this.ready = this.#restore()
      .catch((err: unknown) => {
        if (!this.#end.signal.aborted)
          options.logger.error("what a stream took lately could not be read: events of before may be taken twice", { stream: options.name, err });
      })
      .finally(() => (this.ready = undefined));
  }

  get windowMs(): number {
    return this.#options.windowMs;
  }

  /** The stream is no more, or its window is another. */
  end(): void {
    this.#end.abort();
    this.#options.budget.give(this.#known.size);
    this.#known.clear();
  }

  /**
   * Stores those that are new by one call of `append`, which is given their indexes; an event that is on its way already waits for the same
   * sync. Rejects with the log's refusal of any of them: whoever sends all of them again gets the rest stored.
   */
  async take(identities: readonly string[], wallMs: number, append: (fresh: readonly number[]) => Promise<readonly number[]>): Promise<Deduplicated> {
    assert(this.ready === undefined, "nothing is judged before the log was read");
    this.#expire(wallMs);
    const claims: Claim[] = [];
    const fresh: number[] = [];
    const places = identities.map((identity, index) => {
      const known = this.#known.get(identity);
      if (known !== undefined && !this.#isOver(known, wallMs)) return Promise.resolve(this.#placeOf(identity, known));
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const entry: Entry = { atMs: wallMs, place: promise };
      this.#remember(identity, entry);
      claims.push({ identity, entry, resolve, reject });
      fresh.push(index);
      return promise;
    });
    if (fresh.length > 0)
      void append(fresh).then(
        (offsets) => settle(claims, offsets),
        (error: unknown) => this.#refuse(claims, error),
      );
    return { offsets: await Promise.all(places), duplicates: identities.length - fresh.length };
  }

  #refuse(claims: readonly Claim[], error: unknown): void {
    const offsets = error instanceof LogError ? error.offsets : undefined;
    for (const [index, { identity, entry, reject }] of claims.entries()) {
      const offset = offsets?.[index];
      if (offset === undefined) this.#forget(identity, entry);
      else entry.inDoubt = entry.place = offset;
      reject(error);
    }
  }

  /** Of what is in doubt, the disk is asked. */
  #placeOf(identity: string, entry: Entry): number | Promise<number> {
    const { inDoubt } = entry;
    if (inDoubt === undefined) return entry.place;
    delete entry.inDoubt;
    const place = this.#ask(identity, inDoubt);
    entry.place = place;
    void place.then(
      (offset) => (entry.place = offset),
      () => {
        entry.inDoubt = entry.place = inDoubt;
      },
    );
    return place;
  }

  async #ask(identity: string, offset: number): Promise<number> {
    const { log, name } = this.#options;
    // Whatever waited is on the disk then, or was cut off.
    await log.sync();
    const record = await log.read(offset);
    if (record?.stream === name && identityOfRecord(record) === identity) return offset;
    const entry = this.#known.get(identity);
    if (entry !== undefined) this.#forget(identity, entry);
    throw new LogError("disk", "the disk did not keep the event when it came first: try again");
  }

  #isOver({ atMs, place }: Entry, wallMs: number): boolean {
    return typeof place === "number" && wallMs - atMs >= this.#options.windowMs;
  }

  #expire(wallMs: number): void {
    for (const [identity, entry] of this.#known) {
      if (!this.#isOver(entry, wallMs)) return;
      this.#forget(identity, entry);
    }
  }

  #remember(identity: string, entry: Entry): void {
    // What it took of the budget from now on nobody would give back.
    if (this.#end.signal.aborted) return;
    const before = this.#known.get(identity);
    if (before !== undefined) this.#forget(identity, before);
    if (!this.#options.budget.take() && !this.#makeRoom()) return this.#lost();
    this.#known.set(identity, entry);
  }

  /** By the oldest. */
  #makeRoom(): boolean {
    const [oldest] = this.#known;
    if (oldest === undefined || typeof oldest[1].place !== "number") return false;
    this.#lost();
    this.#forget(...oldest);
    return this.#options.budget.take();
  }

  /** Told of the first: one that was remembered, or that nobody had room for. */
  #lost(): void {
    if (this.forgotten++ > 0) return;
    this.#options.logger.warn("more events came than can be remembered: the window for duplicates is shorter", { stream: this.#options.name });
  }

  #forget(identity: string, entry: Entry): void {
    if (this.#known.get(identity) !== entry) return;
    this.#known.delete(identity);
    this.#options.budget.give(1);
  }

  async #restore(): Promise<void> {
    const { log, stream, clock, windowMs } = this.#options;
    // What is on its way now counts as well.
    await log.sync();
    const fromMs = clock.wallMs() - windowMs;
    for (let at: number | undefined; ;) {
      const { found, next } = await stream.search({ fromMs, limit: PAGE, ...(at === undefined ? {} : { at }) }, this.#end.signal);
      for (const record of found) this.#remember(identityOfRecord(record), { atMs: record.timeMs, place: record.offset });
      if (next === undefined) return;
      at = next;
    }
  }
}

function settle(claims: readonly Claim[], offsets: readonly number[]): void {
  for (const [index, { entry, resolve }] of claims.entries()) {
    const offset = offsets[index] ?? -1;
    entry.place = offset;
    resolve(offset);
  }
}
