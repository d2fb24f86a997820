// The store as a kind sees it whose objects are stored nowhere: they are made anew whenever somebody reads them.
import { methodNotAllowed } from "./errors.ts";
import type { Entry, Listed, ListOptions, Page, Snapshot, SnapshotOptions, Store, Written } from "#store";
import type { KubeObject } from "#schema";
import { keyOf } from "./keys.ts";
import type { MadeObjects } from "./port.ts";
import type { Resource } from "./registry.ts";

/** What is shown of one that was made: it has no revision, and so no version. */
function textOf({ head }: Resource, { apiVersion: _version, kind: _kind, ...members }: KubeObject): string {
  return head + JSON.stringify(members).slice(1);
}

/** Only to be read. Keys of other kinds (the namespace of an object, say) are those of the store behind it. */
export class MadeStore implements Store {
  readonly #store: Store;
  readonly #resource: Resource;
  readonly #made: MadeObjects;

  constructor(store: Store, resource: Resource, made: MadeObjects) {
    this.#store = store;
    this.#resource = resource;
    this.#made = made;
  }

  get revision(): number {
    return this.#store.revision;
  }

  get durableRevision(): number {
    return this.#store.durableRevision;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#isOther(key) ? this.#store.get(key) : (await this.#entries(key)).find((entry) => entry.key === key);
  }

  async list(options: ListOptions): Promise<Listed> {
    if (this.#isOther(options.prefix)) return this.#store.list(options);
    const { entries, more } = pageOf(await this.#after(options), options.limit);
    return { entries, more, revision: this.revision };
  }

  /** Shows what is there when it is first read, whatever revision is asked for: there are no others. */
  snapshot(options: SnapshotOptions): Snapshot {
    if (this.#isOther(options.prefix)) return this.#store.snapshot(options);
    let left: Promise<readonly Entry[]> | undefined;
    const rest = (): Promise<readonly Entry[]> => (left ??= this.#after(options));
    return {
      revision: options.at ?? this.revision,
      async next(limit) {
        const page = pageOf(await rest(), limit);
        left = rest().then((entries) => entries.slice(page.entries.length));
        return page;
      },
      remaining: async () => (await rest()).length,
      close: () => undefined,
    };
  }

  /** Nobody counts what has to be made for it. */
  count(prefix: string): Promise<number> {
    return this.#isOther(prefix) ? this.#store.count(prefix) : Promise.resolve(0);
  }

  put(): Promise<Written> {
    return Promise.reject(methodNotAllowed());
  }

  delete(): Promise<Written> {
    return Promise.reject(methodNotAllowed());
  }

  watch(): () => void {
    throw methodNotAllowed();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #isOther(key: string): boolean {
    return !key.startsWith(this.#resource.prefix);
  }

  /** All that lie below the prefix, which may be one key, in order of their keys. */
  async #entries(prefix: string): Promise<readonly Entry[]> {
    const [first = "", second] = prefix.slice(this.#resource.prefix.length).split("/");
    const [namespace, name] = this.#resource.namespaced ? [first, second ?? ""] : ["", first];
    const objects = await this.#made.read({ namespace, name });
    const entries = objects.map((object) => ({
      key: keyOf(this.#resource, object.metadata.namespace ?? "", object.metadata.name),
      value: textOf(this.#resource, object),
      revision: this.revision,
    }));
    return entries.filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async #after({ prefix, after = "" }: Pick<ListOptions, "prefix" | "after">): Promise<readonly Entry[]> {
    return (await this.#entries(prefix)).filter(({ key }) => key > after);
  }
}

function pageOf(entries: readonly Entry[], limit = Infinity): Page {
  return { entries: entries.slice(0, limit), more: entries.length > limit };
}
