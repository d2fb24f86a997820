// List and watch of one kind, feeding any number of projections; no object is kept here.
import { backoffMs, isReason, StatusError, type BackoffPolicy, type Clock, type Logger, type Rng, type StatusReason } from "#core";
import type { Kind, KubeObject } from "#schema";
import { endsInitialEvents, type ListQuery, type Reader, type WatchEvent } from "./port.ts";
import { keyOf, Projection } from "./projection.ts";

const PAGE_SIZE = 500;
/** As client-go's reflector: 0.8 s doubling to 30 s; jitter keeps many informers from returning together. */
const RETRY: BackoffPolicy = { baseMs: 800, maxMs: 30_000, jitter: 0.5 };
/** Initial events that stop for this long without their bookmark come from a server that does not know what was asked for. */
const SILENCE_MS = 10_000;
/** Answers to a streaming list that say no more than that it is none: asked in pages, the server may well answer. */
const NOT_STREAMED: readonly StatusReason[] = ["BadRequest", "Invalid", "InternalError"];

export interface SourceOptions<O extends KubeObject> {
  readonly client: Reader;
  readonly kind: Kind<O>;
  /** Limits the objects: a namespace, label or field selector. */
  readonly query?: Pick<ListQuery, "namespace" | "labelSelector" | "fieldSelector">;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

interface Feed<O> {
  readonly keep: (object: O) => unknown;
  readonly projection: Projection<unknown>;
}

/** A list on its way: who is fed, and what has come so far. */
interface Taking<O> {
  readonly feeds: readonly Feed<O>[];
  readonly keys: Set<string>;
  events: number;
  state: "open" | "over" | "silent";
}

/** The server's state is older than what was seen of it: it was put back to a backup. */
function isOfTheFuture(error: unknown): boolean {
  return error instanceof StatusError && error.details?.causes?.some(({ reason }) => reason === "ResourceVersionTooLarge") === true;
}

/**
 * Runs until its signal aborts; a projection that joins later makes it list again.
 * Lists are streamed by the watch itself; from servers that cannot do that they come in pages.
 */
export class Source<O extends KubeObject> {
  readonly #options: SourceOptions<O>;
  readonly #feeds: Feed<O>[] = [];
  /** The version up to which everything was seen; "" until a list is complete. */
  #resourceVersion = "";
  #inPages = false;
  #failures = 0;
  #restart: AbortController | undefined;
  #running = false;

  constructor(options: SourceOptions<O>) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#running;
  }

  /** `keep` picks the fields; undefined leaves the object out. */
  add<P>(keep: (object: O) => P | undefined): Projection<P> {
    const projection = new Projection<P>();
    this.#feeds.push({ keep, projection: projection as Projection<unknown> });
    this.#resourceVersion = "";
    this.#restart?.abort();
    return projection;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#running = true;
    try {
      while (!signal.aborted) await this.#round(signal);
    } finally {
      this.#running = false;
      for (const { projection } of this.#feeds) projection.fail(signal.reason);
    }
  }

  /** One watch, with the list before it when there is none yet, and whatever stopped it. */
  async #round(signal: AbortSignal): Promise<void> {
    const restart = new AbortController();
    this.#restart = restart;
    const either = new AbortController();
    const abort = (): void => either.abort();
    signal.addEventListener("abort", abort, { once: true });
    restart.signal.addEventListener("abort", abort, { once: true });
    try {
      if (this.#resourceVersion === "" && this.#inPages) await this.#list();
      if (!either.signal.aborted) await this.#watch(either);
    } catch (error) {
      if (!signal.aborted && !restart.signal.aborted) await this.#recover(error, either.signal);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, kind, logger, rng } = this.#options;
    const listing = this.#resourceVersion === "";
    if (isReason(error, "Expired") || isReason(error, "Gone") || isOfTheFuture(error)) this.#resourceVersion = "";
    else if (listing && !this.#inPages && error instanceof StatusError && NOT_STREAMED.includes(error.reason)) return this.#goInPages(error);
    // A watch that is cut off goes on in a moment; what fails again is told, and told once.
    else logger[this.#failures === 1 ? "warn" : "debug"]("watch broke", { kind: kind.kind, group: kind.group, err: error });
    const hintMs = error instanceof StatusError ? (error.details?.retryAfterSeconds ?? 0) * 1000 : 0;
    await clock.sleep(Math.max(hintMs, backoffMs(RETRY, this.#failures++, rng)), signal).catch(() => {});
  }

  #goInPages(why: unknown): void {
    const { kind, logger } = this.#options;
    this.#inPages = true;
    logger.info("lists come in pages: the server does not stream them", { kind: kind.kind, group: kind.group, err: why });
  }

  #taking(): Taking<O> {
    return { feeds: [...this.#feeds], keys: new Set(), events: 0, state: "open" };
  }

  /** What is complete counts, unless a projection has joined meanwhile. */
  #complete({ feeds, keys }: Taking<O>, resourceVersion: string): void {
    if (feeds.length !== this.#feeds.length) return;
    this.#resourceVersion = resourceVersion;
    for (const { projection } of feeds) {
      projection.retain(keys);
      projection.settle();
    }
  }

  async #list(): Promise<void> {
    const { client, kind, query } = this.#options;
    const taking = this.#taking();
    let limit: { readonly limit: number } | undefined = { limit: PAGE_SIZE };
    let next: string | undefined;
    for (;;) {
      const from: { readonly continue: string } | undefined = next === undefined ? undefined : { continue: next };
      const page = await client.list(kind, { ...query, ...limit, ...from }).catch((error: unknown) => {
        if (from !== undefined && isReason(error, "Expired")) return undefined;
        throw error;
      });
      if (page === undefined) {
        // The window moves faster than the pages come: once more, and all at once, since one answer cannot expire.
        taking.keys.clear();
        next = limit = undefined;
        continue;
      }
      for (const object of page.items) this.#takeListed(taking, object);
      next = page.continue;
      if (next === undefined) return this.#complete(taking, page.resourceVersion);
    }
  }

  #takeListed({ feeds, keys }: Taking<O>, object: O): void {
    keys.add(keyOf(object.metadata.namespace ?? "", object.metadata.name));
    this.#feed(feeds, object, false);
  }

  async #watch(stop: AbortController): Promise<void> {
    const { client, clock, kind, query, rng } = this.#options;
    const { signal } = stop;
    const startedMs = clock.monotonicMs();
    const taking = this.#resourceVersion === "" ? this.#taking() : undefined;
    const start = taking === undefined ? { resourceVersion: this.#resourceVersion } : { initialEvents: true as const };
    const ended = new AbortController();
    if (taking !== undefined) void this.#endSilence(taking, stop, ended.signal);
    try {
      for await (const event of client.watch(kind, { ...query, ...start }, signal)) {
        if (signal.aborted) break;
        if (taking?.state === "open") this.#takeInitial(taking, event);
        else this.#take(event);
        this.#failures = 0;
      }
    } finally {
      ended.abort();
    }
    if (taking?.state === "silent") this.#goInPages(undefined);
    // A server that ends every watch at once must not be asked in a tight loop.
    else if (!signal.aborted && clock.monotonicMs() - startedMs < 1000) await clock.sleep(backoffMs(RETRY, this.#failures++, rng), signal).catch(() => {});
  }

  /** Stops a watch whose initial events have run dry without an end. */
  async #endSilence(taking: Taking<O>, stop: AbortController, ended: AbortSignal): Promise<void> {
    while (taking.state === "open" && !ended.aborted) {
      const before = taking.events;
      await this.#options.clock.sleep(SILENCE_MS, ended).catch(() => {});
      if (ended.aborted || taking.state !== "open" || taking.events !== before) continue;
      taking.state = "silent";
      stop.abort();
    }
  }

  #takeInitial(taking: Taking<O>, event: WatchEvent<O>): void {
    taking.events++;
    if (endsInitialEvents(event)) {
      taking.state = "over";
      this.#complete(taking, event.object.metadata.resourceVersion);
    } else if (event.type === "DELETED") {
      taking.keys.delete(keyOf(event.object.metadata.namespace ?? "", event.object.metadata.name));
      this.#feed(taking.feeds, event.object, true);
    } else if (event.type !== "BOOKMARK") this.#takeListed(taking, event.object);
  }

  #take(event: WatchEvent<O>): void {
    if (event.type !== "BOOKMARK") this.#feed(this.#feeds, event.object, event.type === "DELETED");
    const seen = event.object.metadata.resourceVersion;
    // A projection that joined meanwhile needs the list first.
    if (this.#restart?.signal.aborted !== true && seen !== undefined && seen !== "") this.#resourceVersion = seen;
  }

  /** What fails on one object is told, and the object is left out: neither the other projections nor the other objects wait for it. */
  #feed(feeds: readonly Feed<O>[], object: O, deleted: boolean): void {
    const key = keyOf(object.metadata.namespace ?? "", object.metadata.name);
    const fenced = <T>(work: () => T): T | undefined => {
      try {
        return work();
      } catch (error) {
        this.#options.logger.error("an object was not taken up", { kind: this.#options.kind.kind, key, err: error });
        return undefined;
      }
    };
    for (const { keep, projection } of feeds) {
      const row = fenced(() => keep(object));
      fenced(() => (deleted ? projection.put(key, undefined, row) : projection.put(key, row)));
    }
  }
}
