// Where a share of a path goes, ready for use, and what that makes of two paths of which one leads to the other.
import type { RoutePath, RouteSplit } from "#protocol";

export interface Target {
  /** "" for one that leads back. */
  readonly backend: string;
  /** To this gateway again: another target stands behind it. */
  readonly leadsBack: boolean;
  /** To endpoints that others look after. */
  readonly isService: boolean;
  /** Header lines to add, each with its CRLF. */
  readonly appended: string;
  /** Their names in lower case: a client's fields of these names give way. */
  readonly overridden: ReadonlySet<string>;
  /** The Host that the application sees instead of the client's. */
  readonly rewriteHost: string | undefined;
  /** The Host by which the next hop routes; undefined: the client's. */
  readonly routedHost: string | undefined;
  /** The label `kn.route.tag` (serving.md 4.9): a tag of the route, or one of Knative's words; never what a client made up. */
  readonly routeTag: string;
  /** All that is to be added, by names in lower case. */
  readonly headers: Headers;
  /** Targets that this one led to, with what both make. */
  readonly behind: WeakMap<Target, Target>;
}

type Headers = ReadonlyMap<string, readonly [name: string, value: string]>;

interface Parts {
  readonly backend: string;
  readonly to: RouteSplit["to"];
  readonly routedHost: string | undefined;
  readonly headers: Headers;
  readonly routeTag: string;
}

/** For Knative's own hops: what runs a revision here does not see them, a Service of somebody else may need them. */
const ROUTING: ReadonlySet<string> = new Set(["knative-serving-revision", "knative-serving-namespace", "k-original-host"]);
/** Neither a tag nor the default route was asked for. */
const NO_TAG = "kn:disabled";
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers of the split win over those of the path. */
export function targetOf(path: RoutePath, split: RouteSplit): Target {
  const headers = new Map<string, readonly [string, string]>();
  for (const pair of [...path.appendHeaders, ...split.appendHeaders]) headers.set(pair[0].toLowerCase(), pair);
  return made({ backend: split.backend, to: split.to, routedHost: path.rewriteHost, headers, routeTag: routeTagOf(path, headers) });
}

/** A request for a revision by name; `originalHost` is what a hop before us keeps of the client's Host. */
export function revisionTarget(backend: string, originalHost: string): Target {
  const headers = new Map(originalHost === "" ? [] : [["k-original-host", ["K-Original-Host", originalHost] as const] as const]);
  return made({ backend, to: undefined, routedHost: undefined, headers, routeTag: NO_TAG });
}

/** `outer` led back to the gateway, and `inner` is where its request goes from there. Made once for each pair. */
export function targetBehind(outer: Target, inner: Target): Target {
  const known = outer.behind.get(inner);
  if (known !== undefined) return known;
  const headers = new Map([...outer.headers, ...inner.headers]);
  const to = inner.leadsBack ? "gateway" : inner.isService ? "service" : undefined;
  const target = made({ backend: inner.backend, to, routedHost: inner.routedHost ?? outer.routedHost, headers, routeTag: inner.routeTag });
  outer.behind.set(inner, target);
  return target;
}

function routeTagOf(path: RoutePath, appended: Headers): string {
  const matched = path.headers.find(([name]) => name.toLowerCase() === "knative-serving-tag")?.[1];
  const tag = appended.get("knative-serving-tag")?.[1] ?? matched;
  return tag ?? (appended.has("knative-serving-default-route") ? "kn:default" : NO_TAG);
}

function made({ backend, to, routedHost, headers, routeTag }: Parts): Target {
  const originalHost = headers.get("k-original-host")?.[1];
  const added = [...headers].filter(([name, [, value]]) => (to !== undefined || !ROUTING.has(name)) && NAME.test(name) && VALUE.test(value));
  return {
    backend,
    leadsBack: to === "gateway",
    isService: to === "service",
    appended: added.map(([, [name, value]]) => `${name}: ${value}\r\n`).join(""),
    overridden: new Set(added.map(([name]) => name)),
    // A mapped domain is rewritten for routing only: a revision's application sees the name that the client used.
    rewriteHost: to === undefined ? (originalHost ?? routedHost) : routedHost,
    routedHost,
    routeTag,
    headers,
    behind: new WeakMap(),
  };
}
