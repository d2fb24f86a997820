// From method and URL to what a request wants, as Kubernetes reads them.
import type { Registry, Resource } from "./registry.ts";
import type { Verb } from "./port.ts";

/** A request for a resource. `verb` is undefined when the method does not exist there (405). */
export interface ResourceInfo {
  readonly resource: Resource;
  readonly verb: Verb | undefined;
  readonly namespace: string;
  /** "" for a collection. */
  readonly name: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** What follows a subresource that passes requests on. */
  readonly below?: string;
}

/** As with Kubernetes there are no heads of resources: HEAD is a method that is not allowed. */
const VERBS_OF_ONE: Readonly<Record<string, Verb>> = { GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };
const VERBS_OF_MANY: Readonly<Record<string, Verb>> = { GET: "list", POST: "create", DELETE: "deletecollection" };

/** Go's boolean query parameters: present without a value counts as true. */
export function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.toLowerCase();
  return value !== undefined && value !== "false" && value !== "0";
}

function verbOf(method: string, name: string, subresource: string, query: URLSearchParams): Verb | undefined {
  if (subresource !== "" && method === "POST") return "create";
  if (name !== "") return VERBS_OF_ONE[method];
  const verb = VERBS_OF_MANY[method];
  return verb === "list" && isSet(query, "watch") ? "watch" : verb;
}

function hasSubresource(resource: Resource, name: string): boolean {
  const { subresources } = resource.kind;
  if (name === "status") return subresources.status === true;
  if (name === "scale") return subresources.scale !== undefined;
  const { subresources: handlers = {}, parts = {}, actions = {} } = resource.served;
  return [handlers, parts, actions].some((known) => Object.hasOwn(known, name));
}

/** Splits `/api/v1/…` and `/apis/G/V/…` into group, version and the rest; undefined for other paths. */
function splitVersion(parts: readonly string[]): { group: string; version: string; rest: readonly string[] } | undefined {
  if (parts[0] === "api" && parts.length >= 3) return { group: "", version: parts[1] ?? "", rest: parts.slice(2) };
  if (parts[0] === "apis" && parts.length >= 4) return { group: parts[1] ?? "", version: parts[2] ?? "", rest: parts.slice(3) };
  return undefined;
}

/** Segments of the shortest and of the longest path to a subresource: `/api/V/PLURAL/NAME/SUB`, `/apis/G/V/namespaces/NS/PLURAL/NAME/SUB`. */
const SUBRESOURCE_SEGMENTS = { min: 5, max: 8 } as const;

/** Names of subresources that pass requests on, by registry, and as of which of its generations. */
const passing = new WeakMap<Registry, { readonly generation: number; readonly names: ReadonlySet<string> }>();

function passingNames(registry: Registry): ReadonlySet<string> {
  const { generation, resources } = registry;
  const known = passing.get(registry);
  if (known?.generation === generation) return known.names;
  const all = resources.flatMap(({ served }) => Object.entries(served.subresources ?? {}));
  const names = new Set(all.flatMap(([name, handler]) => (handler.passesOn === true ? [name] : [])));
  passing.set(registry, { generation, names });
  return names;
}

/** Undefined when no resource is served at the path. */
export function requestInfo(registry: Registry, method: string, path: string, query: URLSearchParams): ResourceInfo | undefined {
  const segments = path.split("/").slice(1);
  const names = passingNames(registry);
  for (let count = SUBRESOURCE_SEGMENTS.min; count <= Math.min(SUBRESOURCE_SEGMENTS.max, segments.length); count++) {
    // Nearly all paths have none: they are read once.
    const last = segments[count - 1] ?? "";
    if (!names.has(last) && !last.includes("%")) continue;
    const head = `/${segments.slice(0, count).join("/")}`;
    const info = infoOfPath(registry, method, head, query);
    if (info?.resource.served.subresources?.[info.subresource]?.passesOn === true) return { ...info, below: path.slice(head.length) };
  }
  return infoOfPath(registry, method, path, query);
}

function infoOfPath(registry: Registry, method: string, path: string, query: URLSearchParams): ResourceInfo | undefined {
  let parts: string[];
  try {
    parts = path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (parts.at(-1) === "") parts.pop();
  const split = splitVersion(parts);
  if (split === undefined || parts.includes("")) return undefined;
  const { group, version } = split;
  // Kubernetes' old way to say watch: a path in front, which names one object, too.
  const watches = split.rest[0] === "watch" && split.rest.length > 1;
  const rest = watches ? split.rest.slice(1) : split.rest;
  const [first = "", second = "", third = ""] = rest;
  const scoped = first === "namespaces" && rest.length >= 3 ? registry.find(group, version, third) : undefined;
  const resource = scoped?.namespaced === true ? scoped : registry.find(group, version, first);
  if (resource === undefined) return undefined;
  const [namespace, below] = resource === scoped ? [second, rest.slice(3)] : ["", rest.slice(1)];
  return watches ? watchOf(resource, namespace, below, method) : infoOf(resource, namespace, below, { method, query });
}

function watchOf(resource: Resource, namespace: string, [name = "", ...rest]: readonly string[], method: string): ResourceInfo | undefined {
  if (rest.length > 0 || (resource.namespaced && namespace === "" && name !== "")) return undefined;
  return { resource, verb: method === "GET" ? "watch" : undefined, namespace, name, subresource: "" };
}

function infoOf(
  resource: Resource,
  namespace: string,
  rest: readonly string[],
  { method, query }: { method: string; query: URLSearchParams },
): ResourceInfo | undefined {
  const [name = "", subresource = ""] = rest;
  // Questions have no names.
  if (name !== "" && resource.served.answer !== undefined) return undefined;
  if (rest.length > 2 || (subresource !== "" && !hasSubresource(resource, subresource))) return undefined;
  if (resource.namespaced && namespace === "") {
    if (resource.served.answer !== undefined) return undefined;
    // Across all namespaces objects are listed and watched, never named or written.
    if (name !== "") return undefined;
    const verb = method === "GET" ? verbOf(method, "", "", query) : undefined;
    return { resource, verb, namespace, name, subresource };
  }
  return { resource, verb: verbOf(method, name, subresource, query), namespace, name, subresource };
}
