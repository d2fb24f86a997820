// What one pass over a key sees: live reads, each made once, and the children found by owner.
import { keyFrom, type Client, type InformerSet, type MetaRow } from "#client";
import type { Clock } from "#core";
import type { Kind, KubeObject } from "#schema";
import { controllerOf } from "./owners.ts";
import type { ShellWorld } from "./port.ts";

export function kindId(kind: Pick<Kind, "group" | "plural">): string {
  return `${kind.group}/${kind.plural}`;
}

function objectId(kind: Kind, namespace: string, name: string): string {
  return `${kindId(kind)}/${namespace}/${name}`;
}

interface ChildPlace {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** Children that this process wrote and the informers may not show yet, by key of the primary. */
export class RecentChildren {
  readonly #byPrimary = new Map<string, Map<string, ChildPlace>>();

  add(primary: string, place: ChildPlace): void {
    const places = this.#byPrimary.get(primary) ?? new Map<string, ChildPlace>();
    places.set(objectId(place.kind, place.namespace, place.name), place);
    this.#byPrimary.set(primary, places);
  }

  of(primary: string, kind: Kind): readonly ChildPlace[] {
    return [...(this.#byPrimary.get(primary)?.values() ?? [])].filter((place) => kindId(place.kind) === kindId(kind));
  }

  drop(primary: string, place: ChildPlace): void {
    const places = this.#byPrimary.get(primary);
    places?.delete(objectId(place.kind, place.namespace, place.name));
    if (places?.size === 0) this.#byPrimary.delete(primary);
  }

  forget(primary: string): void {
    this.#byPrimary.delete(primary);
  }
}

export interface PassWorldOptions {
  readonly client: Client;
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly recent: RecentChildren;
  readonly primaryKey: string;
  /** Keys of the watched objects of a kind that concern the primary. */
  readonly watchedKeys: (kind: Kind) => readonly string[];
}

/** A reader that remembers what it read within the pass; writing or a failed read forgets it. */
export class PassWorld implements ShellWorld {
  readonly client: Client;
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
  readonly #options: PassWorldOptions;
  readonly #reads = new Map<string, Promise<KubeObject | undefined>>();
  /** Rows of owned kinds that the observer has seen, by kind. */
  readonly #seen = new Map<string, readonly MetaRow[]>();
  #writes = 0;

  constructor(options: PassWorldOptions) {
    this.#options = options;
    this.nowMs = { monotonic: options.clock.monotonicMs(), wall: options.clock.wallMs() };
    this.client = this.#remembering(options.client);
  }

  get writes(): number {
    return this.#writes;
  }

  async owned<O extends KubeObject>(kind: Kind<O>, owner: { readonly uid: string }): Promise<readonly O[]> {
    const { informers, primaryKey, recent } = this.#options;
    const rows = informers.meta(kind).byIndex("controller", owner.uid);
    this.#seen.set(kindId(kind), rows);
    const places = new Map(rows.map((row) => [`${row.namespace}/${row.name}`, row as { readonly namespace: string; readonly name: string }]));
    for (const place of recent.of(primaryKey, kind)) {
      if (places.has(`${place.namespace}/${place.name}`)) recent.drop(primaryKey, place);
      else places.set(`${place.namespace}/${place.name}`, place);
    }
    const objects = await this.#findAll(kind, [...places.values()]);
    const mine = objects.filter((object) => controllerOf(object)?.uid === owner.uid);
    for (const place of recent.of(primaryKey, kind)) {
      const exists = mine.some((object) => object.metadata.name === place.name && (object.metadata.namespace ?? "") === place.namespace);
      if (!exists) recent.drop(primaryKey, place);
    }
    return mine;
  }

  async orphans<O extends KubeObject>(kind: Kind<O>, namespace: string): Promise<readonly O[]> {
    const rows = this.#options.informers.meta(kind).byIndex("orphan", namespace);
    const objects = await this.#findAll(kind, rows);
    return objects.filter((object) => controllerOf(object) === undefined);
  }

  watched<O extends KubeObject>(kind: Kind<O>): Promise<readonly O[]> {
    return this.#findAll(kind, this.#options.watchedKeys(kind as unknown as Kind).map(keyFrom));
  }

  /** Rows of the owner's children: those the observer saw, or the present ones when it did not look. */
  childRows(kind: Kind, ownerUid: string): readonly MetaRow[] {
    return this.#seen.get(kindId(kind)) ?? this.#options.informers.meta(kind).byIndex("controller", ownerUid);
  }

  async #findAll<O extends KubeObject>(kind: Kind<O>, places: readonly { readonly namespace: string; readonly name: string }[]): Promise<O[]> {
    const found = await Promise.all(places.map(({ namespace, name }) => this.client.find(kind, namespace, name)));
    return found.filter((object) => object !== undefined);
  }

  #remembering(client: Client): Client {
    const reads = this.#reads;
    const find: Client["find"] = async <O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O | undefined> => {
      const id = objectId(kind, namespace, name);
      const known = reads.get(id) as Promise<O | undefined> | undefined;
      if (known !== undefined) return known;
      const reading = client.find(kind, namespace, name);
      reads.set(id, reading);
      reading.catch(() => reads.delete(id));
      return reading;
    };
    const counted = async <O extends KubeObject>(kind: Kind<O>, writing: Promise<O>): Promise<O> => {
      this.#writes++;
      const object = await writing;
      reads.set(objectId(kind, object.metadata.namespace ?? "", object.metadata.name), Promise.resolve(object));
      return object;
    };
    return {
      find,
      get: async (kind, namespace, name) => (await find(kind, namespace, name)) ?? client.get(kind, namespace, name),
      list: (kind, query) => client.list(kind, query),
      watch: (kind, query, signal) => client.watch(kind, query, signal),
      create: (kind, object) => counted(kind, client.create(kind, object)),
      update: (kind, object) => counted(kind, client.update(kind, object)),
      updateStatus: (kind, object) => counted(kind, client.updateStatus(kind, object)),
      // The answer of a scale patch is a Scale, not the object: forget instead.
      patch: async (kind, target, patch) => {
        this.#writes++;
        reads.delete(objectId(kind, target.namespace, target.name));
        return client.patch(kind, target, patch);
      },
      apply: (kind, object, options) => counted(kind, client.apply(kind, object, options)),
      delete: async (kind, target, query) => {
        this.#writes++;
        reads.delete(objectId(kind, target.namespace, target.name));
        return client.delete(kind, target, query);
      },
    };
  }
}
