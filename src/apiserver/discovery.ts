// Discovery: which groups, versions and resources are served, in the plain and in the aggregated documents.
import { createHash } from "node:crypto";
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
const PART_VERBS: readonly Verb[] = ["get", "patch", "update"];

/** The verbs that a kind offers, in the order in which Kubernetes shows them. */
export function verbsOf(resource: Resource): readonly Verb[] {
  const without = resource.served.without ?? [];
  return (resource.kind.custom ? CUSTOM_VERBS : BUILT_IN_VERBS).filter((verb) => !without.includes(verb));
}

function storageVersionHash({ kind }: Resource): string {
  const name = `${kind.group}/${kind.version}/${kind.kind}`;
  return createHash("sha256").update(name).digest().subarray(0, 8).toString("base64");
}

interface Subresource {
  readonly name: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string } | undefined;
  readonly verbs: readonly string[];
}

function subresourcesOf({ kind, served }: Resource): readonly Subresource[] {
  const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
  const all: Subresource[] = [
    ...(kind.subresources.scale === undefined ? [] : [{ name: "scale", kind: scale, verbs: PART_VERBS }]),
    ...(kind.subresources.status === true ? [{ name: "status", kind: undefined, verbs: PART_VERBS }] : []),
    ...Object.keys(served.parts ?? {}).map((name) => ({ name, kind: undefined, verbs: ["update"] })),
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
    storageVersionHash: storageVersionHash(resource),
  };
  const subresources = subresourcesOf(resource).map((sub) => ({
    name: `${kind.plural}/${sub.name}`,
    singularName: "",
    namespaced,
    ...(sub.kind === undefined ? {} : { group: sub.kind.group, version: sub.kind.version }),
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

/** Group → version → resources in order of their names; the first version listed is the preferred one. */
function grouped(registry: Registry): ReadonlyMap<string, ReadonlyMap<string, readonly Resource[]>> {
  const groups = new Map<string, Map<string, Resource[]>>();
  for (const resource of registry.resources.toSorted((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1))) {
    const versions = groups.get(resource.kind.group) ?? new Map<string, Resource[]>();
    groups.set(resource.kind.group, versions);
    const list = versions.get(resource.kind.version) ?? [];
    versions.set(resource.kind.version, list);
    list.push(resource);
  }
  return groups;
}

function apiGroup(name: string, versions: Iterable<string>): ApiGroup {
  const list = [...versions].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] ?? { groupVersion: "", version: "" } };
}

/** The aggregated document of `/api` (core) or `/apis` (all other groups). */
function aggregated(groups: ReadonlyMap<string, ReadonlyMap<string, readonly Resource[]>>, core: boolean, version: "v2" | "v2beta1"): object {
  const items = [...groups]
    .filter(([name]) => (name === "") === core)
    .map(([name, versions]) => ({
      metadata: name === "" ? {} : { name },
      versions: [...versions].map(([v, resources]) => ({ version: v, resources: resources.map(aggregatedResource), freshness: "Current" })),
    }));
  return { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

/** The discovery document at a path, or undefined. `host` is the address under which the client came. */
export function discoveryDocument(
  registry: Registry,
  path: string,
  { host, aggregatedAs }: { host: string; aggregatedAs: "v2" | "v2beta1" | undefined },
): { readonly document: object; readonly aggregated: boolean } | undefined {
  const [, root = "", group = "", version = "", more] = path.replace(/\/$/, "").split("/");
  if (more !== undefined || (root !== "api" && root !== "apis")) return undefined;
  const groups = grouped(registry);
  const plain = (document: object): { document: object; aggregated: boolean } => ({ document, aggregated: false });
  if (group === "" && aggregatedAs !== undefined) return { document: aggregated(groups, root === "api", aggregatedAs), aggregated: true };
  if (root === "api") {
    if (group === "")
      return plain({
        kind: "APIVersions",
        versions: [...(groups.get("")?.keys() ?? [])],
        serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: host }],
      });
    return version === "" ? resourceList(groups.get("")?.get(group), group) : undefined;
  }
  if (group === "") {
    const list = [...groups].filter(([name]) => name !== "").map(([name, versions]) => apiGroup(name, versions.keys()));
    return plain({ kind: "APIGroupList", apiVersion: "v1", groups: list });
  }
  const versions = groups.get(group);
  if (versions === undefined) return undefined;
  if (version === "") return plain({ kind: "APIGroup", apiVersion: "v1", ...apiGroup(group, versions.keys()) });
  return resourceList(versions.get(version), `${group}/${version}`);
}

function resourceList(resources: readonly Resource[] | undefined, groupVersion: string): { document: object; aggregated: boolean } | undefined {
  if (resources === undefined) return undefined;
  const versioned = resources.some(({ kind }) => kind.custom) ? { apiVersion: "v1" } : {};
  return { document: { kind: "APIResourceList", ...versioned, groupVersion, resources: resources.flatMap(plainResources) }, aggregated: false };
}
