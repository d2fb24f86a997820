// The store as a kind sees it whose stored texts are not as they are served: every text is converted on its way in and out.
import type { Entry, Listed, Page, Removal, Snapshot, SnapshotOptions, Store, StoreEvent, WatchOptions, Write, Written } from "#store";
import { restamp } from "./keys.ts";
import { MadeStore } from "./made-objects.ts";
import type { StoredForm } from "./port.ts";
import type { Resource } from "./registry.ts";

/** Keys of other kinds pass as they are. */
class ConvertingStore implements Store {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #form: StoredForm;

  constructor(store: Store, prefix: string, form: StoredForm) {
    this.#store = store;
    this.#prefix = prefix;
    this.#form = form;
  }

  get revision(): number {
    return this.#store.revision;
  }

  get durableRevision(): number {
    return this.#store.durableRevision;
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.#store.get(key);
    return entry === undefined ? undefined : this.#shown(entry);
  }

  async list(options: Parameters<Store["list"]>[0]): Promise<Listed> {
    const listed = await this.#store.list(options);
    return options.prefix.startsWith(this.#prefix) ? this.#page(listed) : listed;
  }

  snapshot(options: SnapshotOptions): Snapshot {
    const snapshot = this.#store.snapshot(options);
    if (!options.prefix.startsWith(this.#prefix)) return snapshot;
    return {
      revision: snapshot.revision,
      next: async (limit) => this.#page(await snapshot.next(limit)),
      remaining: () => snapshot.remaining(),
      close: () => snapshot.close(),
    };
  }

  count(prefix: string): Promise<number> {
    return this.#store.count(prefix);
  }

  async put(write: Write): Promise<Written> {
    return this.#written(write, (stored) => this.#store.put({ ...write, ...stored }));
  }

  async delete(removal: Removal): Promise<Written> {
    return this.#written(removal, (stored) => this.#store.delete({ ...removal, ...stored }));
  }

  /** Conversions may take their time; events stay in order, and what goes wrong with one text leaves it as it is stored. */
  watch(options: WatchOptions): () => void {
    if (!options.prefix.startsWith(this.#prefix)) return this.#store.watch(options);
    let last: Promise<void> | undefined;
    let ended = false;
    const hand = (events: readonly StoreEvent[]): void => {
      if (!ended) options.onEvents(events);
    };
    const onEvents = (events: readonly StoreEvent[]): void => {
      const convert = (): readonly StoreEvent[] | Promise<readonly StoreEvent[]> => this.#events(events);
      if (last === undefined) {
        const made = convert();
        if (!(made instanceof Promise)) return hand(made);
        last = made.then(hand);
      } else last = last.then(convert).then(hand);
      const mine = (last = last.catch(() => hand(events)));
      void mine.then(() => {
        if (last === mine) last = undefined;
      });
    };
    const unsubscribe = this.#store.watch({ ...options, onEvents });
    return () => {
      ended = true;
      unsubscribe();
    };
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #page<P extends Page>(page: P): Promise<P> {
    const texts = await this.#form.read(page.entries.map(({ value }) => value));
    return { ...page, entries: page.entries.map((entry, index) => ({ ...entry, value: texts[index] as string })) };
  }

  async #shown(entry: Entry): Promise<Entry> {
    if (!entry.key.startsWith(this.#prefix)) return entry;
    const [value = entry.value] = await this.#form.read([entry.value]);
    return { ...entry, value };
  }

  async #written(write: Removal, run: (stored: Pick<Removal, "encode">) => Promise<Written>): Promise<Written> {
    const { write: toStored } = this.#form;
    if (!write.key.startsWith(this.#prefix)) return run({ encode: write.encode });
    let text = "";
    let encode = (revision: number): string => (text = write.encode(revision));
    if (toStored !== undefined) {
      const stored = await toStored(write.encode(0));
      encode = (revision) => {
        text = write.encode(revision);
        return restamp(stored, revision);
      };
    }
    const written = await run({ encode });
    if (written.ok && toStored === undefined) return { ...written, value: text };
    if (written.ok) return { ...written, value: (await this.#form.read([written.value]))[0] ?? text };
    return { ok: false, current: written.current === undefined ? undefined : await this.#shown(written.current) };
  }

  #events(events: readonly StoreEvent[]): readonly StoreEvent[] | Promise<readonly StoreEvent[]> {
    const texts = events.flatMap(({ value, previous }) => (previous === undefined ? [value] : [value, previous]));
    const put = (shown: readonly string[]): readonly StoreEvent[] => {
      let at = 0;
      const next = (): string => shown[at++] as string;
      return events.map((event) => ({ ...event, value: next(), previous: event.previous === undefined ? undefined : next() }));
    };
    const read = this.#form.read(texts);
    return read instanceof Promise ? read.then(put) : put(read);
  }
}

/** The store through which a kind's objects are read and written. */
export function storeFor(store: Store, resource: Resource): Store {
  const { made } = resource.served;
  if (made !== undefined) return new MadeStore(store, resource, made);
  const form = resource.served.stored;
  return form === undefined ? store : new ConvertingStore(store, resource.prefix, form);
}
