// The watches of all ApiServerSources. Losing it is harmless only for what is under way: after a start sources begin with what exists.
import type { Client } from "#client";
import type { Clock, Logger, Rng } from "#core";
import type { ApiServerSourceSpec } from "#kinds";
import { controllerOf } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";
import { changeEvent, type ChangeEvent, type ChangeType } from "./change-event.ts";
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

/** Resolves once the event is over; more than one a watch never waits. */
export type SendChange = (config: SourceConfig, event: ChangeEvent, signal: AbortSignal) => Promise<void>;

export interface WatchesOptions {
  readonly client: Client;
  readonly send: SendChange;
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

  /** Watches go on where only the sink, filters or additions are others. */
  follow(key: ObjectKey, config: SourceConfig): void {
    const id = `${key.namespace}/${key.name}`;
    const known = this.#entries.get(id);
    if (known?.watched === watchedText(config)) {
      known.config = config;
      return this.#wakeIfSynced(key, known);
    }
    this.stop(key);
    const places = config.namespaces ?? [undefined];
    const targets = config.resources.flatMap(({ kind, labelSelector }) =>
      (kind.scope === "Namespaced" ? places : [undefined]).map((namespace) => ({ kind, labelSelector, namespace })),
    );
    const entry: Entry = { config, watched: watchedText(config), stop: new AbortController(), pending: targets.length };
    this.#entries.set(id, entry);
    for (const target of targets) this.#watch(key, entry, target);
    this.#wakeIfSynced(key, entry);
  }

  #wakeIfSynced(key: ObjectKey, { pending }: Entry): void {
    if (pending === 0) this.#options.wake(key);
  }

  stop({ namespace, name }: ObjectKey): void {
    const id = `${namespace}/${name}`;
    this.#entries.get(id)?.stop.abort();
    this.#entries.delete(id);
  }

  #watch(key: ObjectKey, entry: Entry, at: { readonly kind: Kind; readonly labelSelector: string; readonly namespace: string | undefined }): void {
    const { client, clock, rng, logger, signal } = this.#options;
    const both = AbortSignal.any([signal, entry.stop.signal]);
    const { kind, namespace } = at;
    let synced = false;
    const onSynced = (): void => {
      if (synced) return;
      synced = true;
      entry.pending--;
      this.#wakeIfSynced(key, entry);
    };
    const keep = (object: KubeObject): KubeObject => (entry.config.mode === "Reference" ? reference(object) : object);
    const emit = (change: ChangeType, object: KubeObject): Promise<void> => this.#emit(entry, { change, kind, object }, both);
    void runWatcher({ client, kind, namespace, labelSelector: at.labelSelector, keep, emit, onSynced, clock, rng, logger }, both);
  }

  async #emit(
    { config }: Entry,
    change: { readonly change: ChangeType; readonly kind: Kind; readonly object: KubeObject },
    signal: AbortSignal,
  ): Promise<void> {
    if (!isOwned(change.object, config.owner)) return;
    const time = new Date(this.#options.clock.wallMs()).toISOString();
    await this.#options.send(config, changeEvent(change, { ...config, time }), signal);
  }
}

/** Enough to tell its end. */
function reference({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, ownerReferences } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(namespace === undefined ? {} : { namespace }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
  } as KubeObject;
}

function isOwned(object: KubeObject, owner: SourceConfig["owner"]): boolean {
  if (owner === undefined) return true;
  const its = controllerOf(object);
  return its?.apiVersion === owner.apiVersion && its?.kind === owner.kind;
}
