// Discovery: which groups, versions and resources are served, in the plain and in the aggregated documents.
import { createHash } from "node:crypto";
import { compareGroups, compareVersions } from "./discovery-order.ts";
import type { Kind } from "#schema";
import type { Registry, Resource } from "./registry.ts";
import type { Verb } from "./port.ts";

interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

interface ApiGroup {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion: { readonly groupVersion: string; readonly version: string };
}

const BUILT_IN_VERBS: readonly Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/** Kubernetes lists the verbs of custom resources in an order of their own. */
const CUSTOM_VERBS: readonly Verb[] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/** Of kinds whose objects are made when they are read. */
const MADE_VERBS: readonly Verb[] = ["get", "list"];
/** Of kinds whose objects are questions. */
const ANSWERED_VERBS: readonly Verb[] = ["create"];
const PART_VERBS: readonly Verb[] = ["get", "patch", "update"];

/** The verbs that a kind offers, in the order in which Kubernetes shows them. */
export function verbsOf(resource: Resource): readonly Verb[] {
  const { answer, made, without = [] } = resource.served;
  if (answer !== undefined) return ANSWERED_VERBS;
  if (made !== undefined) return MADE_VERBS;
  return (resource.kind.custom ? CUSTOM_VERBS : BUILT_IN_VERBS).filter((verb) => !without.includes(verb));
}

function isStored({ served }: Resource): boolean {
  return served.made === undefined && served.answer === undefined;
}

/** Of the version in which the kind is stored, which its served versions share. */
function storageVersionHash({ kind }: Resource): string {
  const name = `${kind.group}/${kind.storageVersion ?? kind.version}/${kind.kind}`;
  return createHash("sha256").update(name).digest().subarray(0, 8).toString("base64");
}

interface Subresource {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string } | undefined;
  readonly verbs: readonly string[];
}

/** A kind of the same group and version is named without them. */
function namedBeside(kind: Kind, other: Kind): { readonly group: string; readonly version: string; readonly kind: string } {
  const isSame = kind.group === other.group && kind.version === other.version;
  return { group: isSame ? "" : other.group, version: isSame ? "" : other.version, kind: other.kind };
}

/** Subresources with their verbs, in the order of their names; `kind` where it is not the object's own. */
export function subresourcesOf({ kind, served }: Resource): readonly Subresource[] {
  const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
  const all: Subresource[] = [
    ...(kind.subresources.scale === undefined ? [] : [{ name: "scale", kind: scale, verbs: PART_VERBS }]),
    ...(kind.subresources.status === true ? [{ name: "status", kind: undefined, verbs: PART_VERBS }] : []),
    ...Object.keys(served.parts ?? {}).map((name) => ({ name, kind: undefined, verbs: served.partVerbs?.[name]?.toSorted() ?? ["update"] })),
    ...Object.entries(served.actions ?? {}).map(([name, action]) => ({ name, kind: namedBeside(kind, action.kind), verbs: ["create"] })),
    ...Object.entries(served.subresources ?? {}).map(([name, handler]) => ({ name, kind: handler.kind, verbs: handler.verbs })),
  ];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function plainResources(resource: Resource): readonly ApiResource[] {
  const { kind, namespaced } = resource;
  const main: ApiResource = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced,
    kind: kind.kind,
    verbs: verbsOf(resource),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(isStored(resource) ? { storageVersionHash: storageVersionHash(resource) } : {}),
  };
  const subresources = subresourcesOf(resource).map((sub) => ({
    name: `${kind.plural}/${sub.name}`,
    singularName: "",
    namespaced,
    ...(sub.kind === undefined || sub.kind.version === "" ? {} : { group: sub.kind.group, version: sub.kind.version }),
    kind: sub.kind?.kind ?? kind.kind,
    verbs: sub.verbs,
  }));
  return [main, ...subresources];
}

function aggregatedResource(resource: Resource): object {
  const { kind, namespaced } = resource;
  // Kubernetes names the group only where the kind is a custom one.
  const responseKind = kind.custom ? { group: kind.group, version: kind.version, kind: kind.kind } : { group: "", version: "", kind: kind.kind };
  const subresources = subresourcesOf(resource).map((sub) => ({ subresource: sub.name, responseKind: sub.kind ?? responseKind, verbs: sub.verbs }));
  return {
    resource: kind.plural,
    responseKind,
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: verbsOf(resource),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

type Versions = ReadonlyMap<string, readonly Resource[]>;

/** All that discovery tells of one generation of kinds. */
interface Groups {
  /** Group → version, best first → resources in order of their names. */
  readonly of: ReadonlyMap<string, Versions>;
  readonly plain: readonly string[];
  readonly aggregated: readonly string[];
}

function grouped(resources: readonly Resource[]): Groups {
  const groups = new Map<string, Map<string, Resource[]>>();
  for (const resource of resources.toSorted((a, b) => compareVersions(a.kind.version, b.kind.version) || (a.kind.plural < b.kind.plural ? -1 : 1))) {
    const versions = groups.get(resource.kind.group) ?? new Map<string, Resource[]>();
    groups.set(resource.kind.group, versions);
    versions.set(resource.kind.version, [...(versions.get(resource.kind.version) ?? []), resource]);
  }
  const named = [...groups].filter(([name]) => name !== "").map(([name, versions]) => ({ name, version: [...versions.keys()][0] ?? "" }));
  const namesIn = (plain: boolean): string[] => named.toSorted((a, b) => compareGroups(a, b, plain)).map(({ name }) => name);
  return { of: groups, plain: namesIn(true), aggregated: namesIn(false) };
}

function apiGroup(name: string, versions: Iterable<string>): ApiGroup {
  const list = [...versions].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] ?? { groupVersion: "", version: "" } };
}

/** The aggregated document of `/api` (core) or `/apis` (all other groups). */
function aggregated(groups: Groups, core: boolean, version: "v2" | "v2beta1"): object {
  const items = (core ? [""] : groups.aggregated).map((name) => ({
    metadata: name === "" ? {} : { name },
    versions: [...(groups.of.get(name) ?? [])].map(([v, resources]) => ({
      version: v,
      resources: resources.map(aggregatedResource),
      freshness: "Current",
    })),
  }));
  return { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

/** A document of one of the plain kinds. */
export interface PlainDocument {
  readonly kind: "APIVersions" | "APIGroup" | "APIGroupList" | "APIResourceList";
  readonly resources?: readonly ApiResource[];
  readonly [member: string]: unknown;
}

function resourceList(versions: Versions | undefined, version: string, group: string): PlainDocument | undefined {
  const resources = versions?.get(version);
  if (versions === undefined || resources === undefined) return undefined;
  return {
    kind: "APIResourceList",
    // Kubernetes leaves it out where it always has.
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: resources.flatMap(plainResources),
  };
}

export interface Discovery {
  /** The aggregated document at `/api` or `/apis` as JSON text; undefined at other paths. */
  aggregated(path: string, version: "v2" | "v2beta1"): string | undefined;
  /** The plain document at a path. `host` is the address under which the client came. */
  plain(path: string, host: string): PlainDocument | undefined;
  /** Paths that have a plain document. */
  paths(): readonly string[];
}

/** What is computed is kept until the kinds change. */
export function createDiscovery(registry: Registry): Discovery {
  let kept: { readonly generation: number; readonly groups: Groups; readonly texts: Map<string, string> } | undefined;
  const now = (): NonNullable<typeof kept> => {
    if (kept?.generation !== registry.generation) {
      kept = { generation: registry.generation, groups: grouped(registry.resources), texts: new Map() };
    }
    return kept;
  };
  return {
    aggregated(path, version) {
      const root = path.replace(/\/$/, "");
      if (root !== "/api" && root !== "/apis") return undefined;
      const { groups, texts } = now();
      const key = `${root} ${version}`;
      const text = texts.get(key) ?? `${JSON.stringify(aggregated(groups, root === "/api", version))}\n`;
      texts.set(key, text);
      return text;
    },
    plain(path, host) {
      const [, root = "", first = "", second = "", more] = path.replace(/\/$/, "").split("/");
      const { groups } = now();
      if (more !== undefined) return undefined;
      if (root === "api") {
        if (first !== "") return second === "" ? resourceList(groups.of.get(""), first, "") : undefined;
        const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: host }];
        return { kind: "APIVersions", versions: [...(groups.of.get("")?.keys() ?? [])], serverAddressByClientCIDRs };
      }
      if (root !== "apis") return undefined;
      if (first === "") {
        return { kind: "APIGroupList", apiVersion: "v1", groups: groups.plain.map((name) => apiGroup(name, groups.of.get(name)?.keys() ?? [])) };
      }
      const versions = groups.of.get(first);
      if (versions === undefined || second !== "") return resourceList(versions, second, first);
      return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(first, versions.keys()) };
    },
    paths() {
      const { groups } = now();
      const named = groups.plain.flatMap((name) => [`/apis/${name}`, ...[...(groups.of.get(name)?.keys() ?? [])].map((version) => `/apis/${name}/${version}`)]);
      return ["/api", ...[...(groups.of.get("")?.keys() ?? [])].map((version) => `/api/${version}`), "/apis", "/apis/", ...named];
    },
  };
}
