// The kinds that are served, found by the words of a URL, with what is computed from each once.
import { assert, type ResourceName } from "#core";
import { apiVersionOf, compileKind, fieldsOf, tableOf, type CompiledKind, type Engines, type Kind, type TableOf, type Tracking } from "#schema";
import type { Action } from "./actions.ts";
import type { SubresourceAction, ServedKind } from "./port.ts";

/** A served kind with its compiled schema and the fixed parts of its texts. */
export interface Resource {
  readonly served: ServedKind;
  readonly kind: Kind;
  readonly compiled: CompiledKind;
  readonly table: TableOf;
  readonly apiVersion: string;
  readonly name: ResourceName;
  readonly namespaced: boolean;
  /** All keys of the kind begin with it: `/GROUP/PLURAL/`, `core` for the group without a name. */
  readonly prefix: string;
  /** How every stored text of the kind begins. */
  readonly head: string;
  /** Subresources that act when an object of a kind of their own is posted to them. */
  readonly actions: Readonly<Record<string, Action>>;
  /** Texts of entries of managedFields, by the entry. */
  readonly entryTexts: WeakMap<object, string>;
  /** How the owners of fields are kept when the object, or its status, is written. */
  readonly tracking: { readonly main: Tracking; readonly status: Tracking };
  /** Aborts when the kind is no longer served like this; absent for kinds that are always served. */
  readonly gone?: AbortSignal;
}

export interface Registry {
  /** What is served now: first the kinds that always are, then those that come and go. */
  readonly resources: readonly Resource[];
  /** Grows with each change of `resources`; what is computed from them is kept under it. */
  readonly generation: number;
  find(group: string, version: string, plural: string): Resource | undefined;
  /** The resource of a kind that an in-process caller names; fails for a kind that is not served. */
  of(kind: Kind): Resource;
  /** Replaces the kinds that come and go; one that is the same object as before keeps its resource. */
  replaceCustom(kinds: readonly ServedKind[]): void;
}

export function listKindOf({ kind }: Resource): string {
  return kind.listKind ?? `${kind.kind}List`;
}

/** The object in another version of its kind; undefined when that is not served. */
type Convert = NonNullable<Tracking["convert"]>;

/** A write of an object resets its status, a write of the status all else that it may not change. */
function trackingOf(kind: Kind, { mergeType: type, empty }: CompiledKind, convert: Convert): Resource["tracking"] {
  const common = { apiVersion: apiVersionOf(kind), type, empty, convert, isFixed: !kind.custom };
  const path = (names: readonly string[]): string[] => names.map((name) => `f:${name}`);
  const hasStatus = kind.subresources.status === true;
  return {
    main: { ...common, reset: hasStatus ? fieldsOf(["f:status"]) : fieldsOf() },
    status: { ...common, reset: fieldsOf(["f:spec"], ...(kind.statusKeeps ?? []).map(path)) },
  };
}

/** What becomes of a kind that comes and goes, and what checks its schemas. */
interface Coming {
  readonly engines: Engines | undefined;
  readonly gone: AbortSignal;
}

/** What is computed from a kind once. A kind that comes and goes is compiled when it is first asked for: there may be many that nobody asks for. */
function actionsOf({ actions = {} }: ServedKind): Resource["actions"] {
  const ready = ({ kind, olderVersions = [], mayBeNameless = false, act }: SubresourceAction): Action => ({
    resource: resourceOf({ kind }),
    olderVersions,
    mayBeNameless,
    act,
  });
  return Object.fromEntries(Object.entries(actions).map(([name, action]) => [name, ready(action)]));
}

export function resourceOf(served: ServedKind, convert: Convert = () => undefined, custom?: Coming): Resource {
  const { kind } = served;
  const apiVersion = apiVersionOf(kind);
  const kindText = `"kind":${JSON.stringify(kind.kind)}`;
  const versionText = `"apiVersion":${JSON.stringify(apiVersion)}`;
  const fixed = {
    served,
    kind,
    apiVersion,
    name: { group: kind.group, resource: kind.plural },
    namespaced: kind.scope === "Namespaced",
    prefix: `/${kind.group === "" ? "core" : kind.group}/${kind.plural}/`,
    entryTexts: new WeakMap<object, string>(),
    head: kind.custom ? `{${versionText},${kindText},` : `{${kindText},${versionText},`,
    actions: actionsOf(served),
  };
  let tracking: Resource["tracking"] | undefined;
  if (custom === undefined) {
    const compiled = compileKind(kind);
    const table = tableOf(kind);
    return {
      ...fixed,
      compiled,
      table,
      get tracking() {
        return (tracking ??= trackingOf(kind, compiled, convert));
      },
    };
  }
  let compiled: CompiledKind | undefined;
  let table: TableOf | undefined;
  return {
    ...fixed,
    gone: custom.gone,
    get compiled() {
      return (compiled ??= compileKind(kind, custom.engines));
    },
    get table() {
      return (table ??= tableOf(kind));
    },
    get tracking() {
      return (tracking ??= trackingOf(kind, this.compiled, convert));
    },
  };
}

const nameOf = (resource: Resource): string => `${resource.apiVersion}/${resource.kind.plural}`;

/** The kinds that come and go. */
class CustomResources {
  readonly #engines: Engines | undefined;
  #entries = new Map<ServedKind, { readonly resource: Resource; readonly end: AbortController }>();

  constructor(engines: Engines | undefined) {
    this.#engines = engines;
  }

  get resources(): readonly Resource[] {
    return [...this.#entries.values()].map(({ resource }) => resource);
  }

  /** Tells afterwards to those who use a resource that it is no longer served. */
  replace(kinds: readonly ServedKind[], made: (served: ServedKind, custom: Coming) => Resource): () => void {
    const before = this.#entries;
    this.#entries = new Map(
      kinds.map((kind) => {
        const end = new AbortController();
        return [kind, before.get(kind) ?? { resource: made(kind, { engines: this.#engines, gone: end.signal }), end }];
      }),
    );
    return () => before.forEach(({ end }, kind) => this.#entries.has(kind) || end.abort());
  }
}

/** `engines` are for the kinds that come and go: their schemas are not ours. */
export function createRegistry(kinds: readonly ServedKind[], engines?: Engines): Registry {
  const custom = new CustomResources(engines);
  let generation = 0;
  let resources: readonly Resource[] = [];
  let byName: ReadonlyMap<string, Resource> = new Map();
  // Versions of a kind differ in their schemas; what a converter would change besides does not change who owns what.
  const made = (served: ServedKind, coming?: Coming): Resource => {
    const { group, plural } = served.kind;
    const convert: Convert = (object, apiVersion) => {
      const other = byName.get(`${apiVersion}/${plural}`);
      return other?.kind.group === group ? { object: { ...(object as object), apiVersion }, type: other.compiled.mergeType } : undefined;
    };
    return resourceOf(served, convert, coming);
  };
  const fixed = kinds.map((kind) => made(kind));
  const always = new Set(fixed.map(nameOf));
  const refresh = (): void => {
    resources = [...fixed, ...custom.resources];
    byName = new Map(resources.map((resource) => [nameOf(resource), resource]));
    assert(byName.size === resources.length, "a kind is served twice");
    generation++;
  };
  refresh();
  const find = (group: string, version: string, plural: string): Resource | undefined =>
    byName.get(`${group === "" ? version : `${group}/${version}`}/${plural}`);
  return {
    get resources() {
      return resources;
    },
    get generation() {
      return generation;
    },
    find,
    of(kind) {
      const resource = find(kind.group, kind.version, kind.plural);
      assert(resource !== undefined, `${kind.plural} of ${apiVersionOf(kind)} are not served`);
      return resource;
    },
    replaceCustom(wanted) {
      // What is always served wins.
      const tell = custom.replace(
        wanted.filter(({ kind }) => !always.has(`${apiVersionOf(kind)}/${kind.plural}`)),
        made,
      );
      refresh();
      tell();
    },
  };
}
