// The watches of all ApiServerSources. What they have told of each object outlives them, so that a start tells what was not.
import { createHash } from "node:crypto";
import type { Client } from "#client";
import type { Clock, Logger, Marks, MarksShelf, Rng } from "#core";
import { ApiServerSource, type ApiServerSourceSpec } from "#kinds";
import { controllerOf } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";
import { changeEvent, type ChangeEvent, type ChangeType } from "./change-event.ts";
import { forgetOthers, Known, type ToldMark } from "./known.ts";
import { runWatcher } from "./watcher.ts";

/** What a source does. */
export interface SourceConfig {
  readonly uid: string;
  readonly namespace: string;
  readonly mode: string;
  readonly resources: readonly { readonly kind: Kind; readonly labelSelector: string }[];
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly owner?: { readonly apiVersion?: string; readonly kind?: string };
  readonly filters: NonNullable<ApiServerSourceSpec["filters"]>;
  readonly overrides: Readonly<Record<string, string>>;
  readonly host: string;
  readonly target: { readonly url: string; readonly caCerts?: string };
}

/** Resolves once the event is over, or the signal has aborted; more than one a watch never waits. */
export type SendChange = (config: SourceConfig, event: ChangeEvent, signal: AbortSignal) => Promise<void>;

export interface WatchesOptions {
  readonly client: Client;
  readonly send: SendChange;
  /** By the uids of sources. */
  readonly marks: MarksShelf<ToldMark>;
  /** All watches of the source know what exists. */
  readonly wake: (key: ObjectKey) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface Entry {
  config: SourceConfig;
  readonly watched: string;
  readonly stop: AbortController;
  /** Watches that do not know yet what exists. */
  pending: number;
  /** All watches have ended, and nothing is written any more. */
  done: Promise<unknown>;
}

interface WatchPlace {
  readonly kind: Kind;
  readonly labelSelector: string;
  readonly namespace: string | undefined;
}

const kindText = ({ group, version, kind }: Kind): string => `${group}/${version}/${kind}`;

/** Two configurations of the same text do the same. */
export function configText(config: SourceConfig): string {
  return JSON.stringify({ ...config, resources: config.resources.map(({ kind, labelSelector }) => [kindText(kind), labelSelector]) });
}

/** All that cannot be changed while the watches go on. */
function watchedText({ uid, mode, resources, namespaces }: SourceConfig): string {
  return JSON.stringify([uid, mode, resources.map(({ kind, labelSelector }) => [kindText(kind), labelSelector]), namespaces]);
}

/** The same after a restart, and after changes of other resources of the source. */
function watchName({ kind, labelSelector, namespace }: WatchPlace): string {
  return createHash("sha256")
    .update(JSON.stringify([kindText(kind), namespace ?? null, labelSelector]))
    .digest("hex")
    .slice(0, 16);
}

function placesOf({ namespaces, resources }: SourceConfig): readonly WatchPlace[] {
  const places = namespaces ?? [undefined];
  return resources.flatMap(({ kind, labelSelector }) =>
    (kind.scope === "Namespaced" ? places : [undefined]).map((namespace) => ({ kind, labelSelector, namespace })),
  );
}

export class ApiWatches {
  readonly #options: WatchesOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** The text of what is in force; undefined while a watch does not know what exists. */
  inForce({ namespace, name }: ObjectKey): string | undefined {
    const entry = this.#entries.get(`${namespace}/${name}`);
    return entry === undefined || entry.pending > 0 ? undefined : configText(entry.config);
  }

  /** Forgets what sources have told that went while nobody was there to see it, then waits for the end of all watches. */
  async run(): Promise<void> {
    const { client, marks, logger, signal } = this.#options;
    try {
      const owners = await marks.owners();
      const { items } = owners.length === 0 ? { items: [] } : await client.list(ApiServerSource);
      const known = new Set(items.map(({ metadata }) => metadata.uid));
      await Promise.all(owners.filter((uid) => !known.has(uid)).map((uid) => marks.remove(uid)));
    } catch (err) {
      if (!signal.aborted) logger.warn("what former ApiServerSources have told is not forgotten", { err });
    }
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await Promise.all([...this.#entries.values()].map(({ done }) => done));
  }

  /** Watches go on where only the sink, filters or additions are others. */
  follow(key: ObjectKey, config: SourceConfig): void {
    const id = `${key.namespace}/${key.name}`;
    const known = this.#entries.get(id);
    if (known?.watched === watchedText(config)) {
      known.config = config;
      return this.#wakeIfSynced(key, known);
    }
    const before = known?.config.uid === config.uid ? this.#stop(id) : this.#forget(id);
    const places = placesOf(config);
    const entry: Entry = { config, watched: watchedText(config), stop: new AbortController(), pending: places.length, done: Promise.resolve() };
    this.#entries.set(id, entry);
    const names = new Set(places.map(watchName));
    let opened: Promise<Marks<ToldMark>> | undefined;
    const open = async (): Promise<Marks<ToldMark>> => {
      await before;
      const marks = await this.#options.marks.open(config.uid);
      await forgetOthers(marks, names);
      return marks;
    };
    // One for all watches of the source; a failure is tried again by each.
    const marks = (): Promise<Marks<ToldMark>> => (opened ??= open().catch((error: unknown) => ((opened = undefined), Promise.reject(error))));
    entry.done = Promise.all([marks().catch(() => undefined), ...places.map((place) => this.#watch(key, entry, place, marks))]);
    this.#wakeIfSynced(key, entry);
  }

  #wakeIfSynced(key: ObjectKey, { pending }: Entry): void {
    if (pending === 0) this.#options.wake(key);
  }

  /** The source is no more. */
  stop({ namespace, name }: ObjectKey): void {
    void this.#forget(`${namespace}/${name}`);
  }

  async #stop(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    entry?.stop.abort();
    this.#entries.delete(id);
    await entry?.done;
  }

  async #forget(id: string): Promise<void> {
    const { marks, logger } = this.#options;
    const uid = this.#entries.get(id)?.config.uid;
    await this.#stop(id);
    if (uid !== undefined) await marks.remove(uid).catch((err: unknown) => logger.warn("what an ApiServerSource has told is not forgotten", { uid, err }));
  }

  #watch(key: ObjectKey, entry: Entry, place: WatchPlace, marks: () => Promise<Marks<ToldMark>>): Promise<void> {
    const { client, clock, rng, logger, signal } = this.#options;
    const both = AbortSignal.any([signal, entry.stop.signal]);
    const { kind } = place;
    let synced = false;
    const onSynced = (): void => {
      if (synced) return;
      synced = true;
      entry.pending--;
      this.#wakeIfSynced(key, entry);
    };
    const known = async (): Promise<Known> => new Known(await marks(), { watch: watchName(place), whole: entry.config.mode === "Resource" });
    const emit = (change: ChangeType, object: KubeObject): Promise<void> => this.#emit(entry, { change, kind, object }, both);
    return runWatcher({ client, ...place, known, emit, onSynced, clock, rng, logger }, both);
  }

  async #emit(entry: Entry, change: { readonly change: ChangeType; readonly kind: Kind; readonly object: KubeObject }, signal: AbortSignal): Promise<void> {
    const { config } = entry;
    if (!isOwned(change.object, config.owner)) return;
    const time = new Date(this.#options.clock.wallMs()).toISOString();
    await this.#options.send(config, changeEvent(change, { ...config, time }), signal);
  }
}

function isOwned(object: KubeObject, owner: SourceConfig["owner"]): boolean {
  if (owner === undefined) return true;
  const its = controllerOf(object);
  return its?.apiVersion === owner.apiVersion && its?.kind === owner.kind;
}
