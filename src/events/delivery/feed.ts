// One stream's events, each read and decoded once and handed to those whom it concerns. Whoever cannot take one falls behind, reads by
// itself (`catch-ups.ts`) and comes back; the feed waits for nobody, and an event costs nothing at those whom it does not concern.
import type { Clock, Logger } from "#core";
import type { Matcher } from "../filters/matcher.ts";
import { FilterIndex } from "../filters/filter-index.ts";
import type { LogRecord, StreamLog, StreamReader } from "../port.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";

/** Data as long are looked at where they were read; shorter ones are copied, since they would keep all that was read with them. */
const OWN_BYTES_MAX = 64 << 10;
/** At the start the feed begins with the slowest of its subscribers, unless that is so far behind: then it catches up by itself. */
const LAG_BYTES_MAX = 64 << 20;
/** Hand-outs after which others of this thread have a turn. */
const HANDED_MAX = 256;
/** After the disk has failed. */
const AGAIN_MS = 1_000;

/** What of a subscriber the feed knows. */
export interface Follower {
  /** Where it is. */
  readonly next: number;
  /** From now on it gets what concerns it from there on. */
  follow(place: { readonly at: number }): void;
  /** It is behind: the feed has passed its place. */
  fellBehind(): void;
  /** An event that its filter lets pass; takes it, or leaves the feed before it. */
  offer(offset: number, event: StoredEvent): void;
}

export interface FeedOptions {
  readonly stream: Pick<StreamLog, "reader">;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Feed {
  readonly #options: FeedOptions;
  /** All of the stream's subscribers, also those that do not follow: to leave and to come back costs nothing here. */
  readonly #index = new FilterIndex<Follower>();
  readonly #place = { at: 0 };
  /** Who wants to follow before the feed has begun. */
  readonly #early = new Set<Follower>();
  #running: AbortController | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Nothing from here on was handed out. */
  get at(): number {
    return this.#place.at;
  }

  /** Its filter counts from what is handed out next on. */
  set(id: string, matcher: Matcher, follower: Follower): void {
    this.#index.set(id, matcher, follower);
  }

  /** Without subscribers nothing is read. */
  delete(id: string, follower: Follower): void {
    this.#index.delete(id);
    this.#early.delete(follower);
    if (this.#index.size === 0) this.#end();
  }

  /** It follows at once, once the feed begins, or is told that it is behind. */
  join(follower: Follower): void {
    if (this.#running === undefined) this.#early.add(follower);
    else if (follower.next >= this.#place.at) follower.follow(this.#place);
    else follower.fellBehind();
  }

  /** With the slowest of those that are there by now; does nothing when it has begun, or when there is nobody. */
  begin(): void {
    if (this.#running !== undefined || this.#index.size === 0) return;
    const { stream } = this.#options;
    const early = [...this.#early];
    const oldest = stream.reader("end").at - LAG_BYTES_MAX;
    this.#place.at = early.reduce((lowest, { next }) => (next >= oldest ? Math.min(lowest, next) : lowest), stream.reader("end").at);
    this.#running = new AbortController();
    this.#early.clear();
    for (const follower of early) this.join(follower);
    void this.#run(stream.reader(this.#place.at), this.#running.signal);
  }

  #end(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(reader: StreamReader, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#handOut(await reader.next(signal), signal);
        if (!signal.aborted) this.#place.at = reader.at;
      } catch (err) {
        logger.error("the event log cannot be read for its subscribers: it is tried again", { err });
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  async #handOut(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    let handed = 0;
    for (const record of records) {
      if (signal.aborted) return;
      handed += this.#hand(record);
      if (handed < HANDED_MAX) continue;
      handed = 0;
      await new Promise(setImmediate);
    }
  }

  /** To how many. */
  #hand({ offset, end, value }: LogRecord): number {
    const event = this.#decoded(offset, value);
    const concerned = event === undefined ? [] : this.#index.matching(event.attributes);
    if (event !== undefined && concerned.length > 0) {
      const own = ofItsOwn(event);
      for (const follower of concerned) follower.offer(offset, own);
    }
    this.#place.at = end;
    return concerned.length;
  }

  #decoded(offset: number, value: Uint8Array): StoredEvent | undefined {
    try {
      return decodeStored(value);
    } catch (err) {
      this.#options.logger.error("an event of the log cannot be read and is passed over", { offset, err });
      return undefined;
    }
  }
}

/** What may be kept for as long as a delivery takes. */
export function ofItsOwn(event: StoredEvent): StoredEvent {
  const { data } = event;
  return data === undefined || data.octets.length > OWN_BYTES_MAX ? event : { ...event, data: { ...data, octets: Uint8Array.from(data.octets) } };
}
