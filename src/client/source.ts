// List and watch of one kind, feeding any number of projections; no object is kept here.
import { backoffMs, isReason, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { Kind, KubeObject } from "#schema";
import type { ListQuery, Reader, WatchEvent } from "./port.ts";
import { keyOf, Projection } from "./projection.ts";

const PAGE_SIZE = 500;
/** As client-go's reflector: 0.8 s doubling to 30 s; jitter keeps many informers from returning together. */
const RETRY: BackoffPolicy = { baseMs: 800, maxMs: 30_000, jitter: 0.5 };

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

/** Runs until its signal aborts; a projection that joins later makes it list again. */
export class Source<O extends KubeObject> {
  readonly #options: SourceOptions<O>;
  readonly #feeds: Feed<O>[] = [];
  #resourceVersion = "";
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

  /** One list (when needed) and one watch, with whatever stopped it. */
  async #round(signal: AbortSignal): Promise<void> {
    const restart = new AbortController();
    this.#restart = restart;
    const either = new AbortController();
    const abort = (): void => either.abort();
    signal.addEventListener("abort", abort, { once: true });
    restart.signal.addEventListener("abort", abort, { once: true });
    const { clock, kind, logger, rng } = this.#options;
    try {
      if (this.#resourceVersion === "") await this.#list();
      if (!signal.aborted && !restart.signal.aborted) await this.#watch(either.signal);
    } catch (error) {
      if (signal.aborted || restart.signal.aborted) return;
      if (isReason(error, "Expired") || isReason(error, "Gone")) this.#resourceVersion = "";
      else logger.warn("watch broke", { kind: kind.kind, group: kind.group, err: error });
      await clock.sleep(backoffMs(RETRY, this.#failures++, rng), either.signal).catch(() => {});
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #list(): Promise<void> {
    const { client, kind, query } = this.#options;
    const feeds = [...this.#feeds];
    const keys = new Set<string>();
    let next: string | undefined;
    let resourceVersion = "";
    do {
      const page = await client.list(kind, { ...query, limit: PAGE_SIZE, ...(next === undefined ? {} : { continue: next }) });
      for (const object of page.items) {
        keys.add(keyOf(object.metadata.namespace ?? "", object.metadata.name));
        this.#feed(feeds, object, false);
      }
      next = page.continue;
      resourceVersion = page.resourceVersion;
    } while (next !== undefined);
    if (feeds.length !== this.#feeds.length) return;
    this.#resourceVersion = resourceVersion;
    for (const { projection } of feeds) {
      projection.retain(keys);
      projection.settle();
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock, kind, query, rng } = this.#options;
    const startedMs = clock.monotonicMs();
    for await (const event of client.watch(kind, { ...query, resourceVersion: this.#resourceVersion }, signal)) {
      if (signal.aborted) return;
      this.#take(event);
      this.#failures = 0;
    }
    // A server that ends every watch at once must not be asked in a tight loop.
    if (!signal.aborted && clock.monotonicMs() - startedMs < 1000) await clock.sleep(backoffMs(RETRY, this.#failures++, rng), signal).catch(() => {});
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
