// From an Ingress to the hosts that a gateway routes (serving.md 8.1).
import { createHash } from "node:crypto";
import type { Ingress, IngressPath, IngressRule, IngressSplit } from "#kinds";
import type { RouteHost, RoutePath, RouteSplit } from "#protocol";

/** What an Ingress asks for. */
export interface IngressRoutes {
  readonly hosts: readonly RouteHost[];
  /** Keys of all revisions that its splits name. */
  readonly backends: readonly string[];
}

/** Hosts are lower case; a host of several rules gets the paths of all. Shares without weight are left out. */
export function ingressRoutes(ingress: Ingress): IngressRoutes {
  const probeHash = hashOf(ingress);
  const hosts = new Map<string, RouteHost>();
  const backends = new Set<string>();
  const secured = new Set((ingress.spec?.tls ?? []).flatMap((tls) => tls.hosts ?? []).map((host) => host.toLowerCase()));
  for (const rule of ingress.spec?.rules ?? []) {
    const paths = (rule.http?.paths ?? []).map(routePath).filter((path) => path.splits.length > 0);
    for (const path of paths) for (const split of path.splits) backends.add(split.backend);
    for (const name of rule.hosts ?? []) {
      const host = name.toLowerCase();
      const before = hosts.get(host);
      const visibility = before?.visibility === "ExternalIP" ? before.visibility : visibilityOf(rule);
      const redirectToHttps = ingress.spec?.httpOption === "Redirected" && visibility === "ExternalIP" && secured.has(host);
      hosts.set(host, { host, visibility, redirectToHttps, probeHash, paths: before === undefined ? paths : [...before.paths, ...paths] });
    }
  }
  return { hosts: [...hosts.values()], backends: [...backends] };
}

function visibilityOf(rule: IngressRule): RouteHost["visibility"] {
  return rule.visibility === "ClusterLocal" ? "ClusterLocal" : "ExternalIP";
}

function routePath(path: IngressPath): RoutePath {
  const alone = path.splits.length === 1;
  return {
    prefix: path.path ?? "",
    headers: Object.entries(path.headers ?? {}).map(([name, match]) => [name, match.exact ?? ""] as const),
    appendHeaders: Object.entries(path.appendHeaders ?? {}),
    splits: path.splits.map((split) => routeSplit(split, alone)).filter((split) => split.percent > 0),
    ...(path.rewriteHost === undefined || path.rewriteHost === "" ? {} : { rewriteHost: path.rewriteHost }),
  };
}

/** A share that stands alone may omit its weight. */
function routeSplit(split: IngressSplit, alone: boolean): RouteSplit {
  const percent = split.percent ?? 0;
  return {
    backend: `${split.serviceNamespace}/${split.serviceName}`,
    percent: alone && percent === 0 ? 100 : percent,
    appendHeaders: Object.entries(split.appendHeaders ?? {}),
  };
}

/** Identifies the configuration for network probes: SHA-256 of spec, namespace and name. */
function hashOf(ingress: Ingress): string {
  const { namespace = "", name } = ingress.metadata;
  return createHash("sha256")
    .update(JSON.stringify(ingress.spec ?? {}))
    .update(namespace)
    .update(name)
    .digest("hex");
}
