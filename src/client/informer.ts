// Informers: memory of the fields that somebody declared, fed by one list and watch a kind.
import type { Clock, Logger, Rng } from "#core";
import type { Kind, KubeObject, OwnerReference } from "#schema";
import type { Reader } from "./port.ts";
import type { Informer } from "./projection.ts";
import { Source, type SourceOptions } from "./source.ts";

/** Namespaces, and kinds of owners: what is over this is kept with each row. */
const SHARED_TEXTS_MAX = 10_000;

export interface InformerOptions<O extends KubeObject, P> extends SourceOptions<O> {
  /** Picks the fields to remember; undefined leaves the object out. Never return the object itself. */
  readonly keep: (object: O) => P | undefined;
}

/** An informer with its own watch. `run` ends when the signal aborts and never throws. */
export interface RunningInformer<P> extends Informer<P> {
  run(signal: AbortSignal): Promise<void>;
}

export function createInformer<O extends KubeObject, P>(options: InformerOptions<O, P>): RunningInformer<P> {
  const source = new Source<O>(options);
  const projection = source.add(options.keep);
  return Object.assign(projection, { run: (signal: AbortSignal) => source.run(signal) });
}

/** What controllers need of any object to find owners and children: some hundred bytes. */
export interface MetaRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly owners?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
}

/** Texts that many rows have, kept once. */
class SharedTexts {
  readonly #known = new Map<string, string>();

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size < SHARED_TEXTS_MAX) this.#known.set(text, text);
    return text;
  }
}

/** The projection `meta` of every kind. */
function keepMeta(object: KubeObject, texts: SharedTexts): MetaRow {
  const { namespace = "", name, uid, resourceVersion, ownerReferences = [], finalizers, deletionTimestamp } = object.metadata;
  const owners = ownerReferences.map((owner) => ({ ...owner, apiVersion: texts.of(owner.apiVersion), kind: texts.of(owner.kind) }));
  return {
    namespace: texts.of(namespace),
    name,
    uid,
    resourceVersion,
    ...(owners.length === 0 ? {} : { owners }),
    ...(finalizers === undefined || finalizers.length === 0 ? {} : { finalizers }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

/** One watch a kind however many ask, one memory a kind and projection name. */
export interface InformerSet {
  /** The same `name` must always come with the same `keep`. May be called while the set runs. */
  of<O extends KubeObject, P>(kind: Kind<O>, name: string, keep: (object: O) => P | undefined): Informer<P>;
  /**
   * Hands each object on as it changes (undefined: it is gone) and remembers no more of it than its version;
   * for users that keep their own state. Called synchronously in order of events; must not throw.
   */
  follow<O extends KubeObject>(kind: Kind<O>, name: string, listener: (key: string, object: O | undefined) => void): Pick<Informer<string>, "synced">;
  /** The projection `meta`, indexed by the uid of the controlling owner as `controller` and of all owners as `owner`. */
  meta(kind: Kind): Informer<MetaRow>;
  /** Starts every watch, also those asked for later; ends when the signal aborts and all have ended. */
  run(signal: AbortSignal): Promise<void>;
}

export interface InformerSetOptions {
  readonly client: Reader;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

export function createInformerSet(options: InformerSetOptions): InformerSet {
  const sources = new Map<string, Source<KubeObject>>();
  const projections = new Map<string, Informer<unknown>>();
  const runs = new Set<Promise<void>>();
  const texts = new SharedTexts();
  let running: AbortSignal | undefined;

  const sourceOf = (kind: Kind): Source<KubeObject> => {
    const id = `${kind.group}/${kind.version}/${kind.plural}`;
    const existing = sources.get(id);
    if (existing !== undefined) return existing;
    const source = new Source<KubeObject>({ ...options, kind });
    sources.set(id, source);
    return source;
  };
  const start = (source: Source<KubeObject>): void => {
    if (running === undefined || running.aborted || source.running) return;
    runs.add(source.run(running));
  };
  const of = <O extends KubeObject, P>(kind: Kind<O>, name: string, keep: (object: O) => P | undefined): Informer<P> => {
    const id = `${kind.group}/${kind.version}/${kind.plural} ${name}`;
    const existing = projections.get(id) as Informer<P> | undefined;
    if (existing !== undefined) return existing;
    const source = sourceOf(kind);
    const projection = source.add(keep as unknown as (object: KubeObject) => P | undefined);
    projections.set(id, projection);
    start(source);
    return projection;
  };

  return {
    of,
    follow<O extends KubeObject>(kind: Kind<O>, name: string, listener: (key: string, object: O | undefined) => void) {
      let latest: O | undefined;
      // A projection is told of the object right before it tells its listeners of the change.
      const informer = of(kind, name, (object) => {
        latest = object;
        return object.metadata.resourceVersion;
      });
      informer.onChange(({ key, after }) => listener(key, after === undefined ? undefined : latest));
      return informer;
    },
    meta(kind) {
      const known = projections.has(`${kind.group}/${kind.version}/${kind.plural} meta`);
      const informer = of(kind, "meta", (object) => keepMeta(object, texts));
      if (!known) {
        informer.addIndex("owner", (row) => row.owners?.map((owner) => owner.uid) ?? []);
        informer.addIndex("controller", (row) => row.owners?.filter((owner) => owner.controller === true).map((owner) => owner.uid) ?? []);
        informer.addIndex("orphan", (row) => (row.owners?.some((owner) => owner.controller === true) === true ? [] : [row.namespace]));
      }
      return informer;
    },
    async run(signal) {
      running = signal;
      for (const source of sources.values()) start(source);
      await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
      await Promise.all(runs);
    },
  };
}
