// From an Ingress to the hosts that a gateway routes (serving.md 8.1).
import { createHash } from "node:crypto";
import type { Ingress, IngressPath, IngressRule, IngressSplit } from "#kinds";
import type { RouteHost, RoutePath, RouteSplit } from "#protocol";
import { ingressSpecJson } from "./go-json.ts";
import { hostLimits } from "./host-limits.ts";
import type { Resolution } from "./services.ts";

/** A Service with one of its ports, as a split names it. */
export interface Reference {
  /** `namespace/name:port`. */
  readonly key: string;
  /** `namespace/name`. */
  readonly service: string;
  /** Its number or its name. */
  readonly port: string;
}

/** What an Ingress asks for; `backend` of its splits is the key of a reference. */
export interface IngressRoutes {
  readonly hosts: readonly RouteHost[];
  /** All that its splits name. */
  readonly references: readonly Reference[];
}

/** Hosts are lower case; a host of several rules gets the paths of all. Shares without weight are left out. */
export function ingressRoutes(ingress: Ingress, clusterDomain: string): IngressRoutes {
  const probeHash = hashOf(ingress);
  const limits = hostLimits(ingress.metadata.annotations);
  const hosts = new Map<string, RouteHost>();
  const references = new Map<string, Reference>();
  const secured = new Set((ingress.spec?.tls ?? []).flatMap((tls) => tls.hosts ?? []).map((host) => host.toLowerCase()));
  for (const rule of ingress.spec?.rules ?? []) {
    const visibility = visibilityOf(rule);
    const paths = (rule.http?.paths ?? []).map((path) => routePath(path, references)).filter((path) => path.splits.length > 0);
    for (const host of expandedHosts(rule.hosts ?? [], clusterDomain)) {
      const before = hosts.get(host);
      const merged = before === undefined ? { visibility, paths } : mergedPaths(before, { visibility, paths });
      const redirectToHttps = ingress.spec?.httpOption === "Redirected" && merged.visibility === "ExternalIP" && secured.has(host);
      hosts.set(host, { host, redirectToHttps, probeHash, ...limits, ...merged });
    }
  }
  return { hosts: [...hosts.values()], references: [...references.values()] };
}

/** A name of the cluster's domain is answered to in its short forms, too; what cannot be a name on the network is left out. */
function expandedHosts(hosts: readonly string[], clusterDomain: string): Set<string> {
  const expanded = new Set<string>();
  for (const name of hosts) {
    const host = name.toLowerCase();
    for (const suffix of ["", `.${clusterDomain}`, `.svc.${clusterDomain}`]) {
      const short = host.slice(0, host.length - suffix.length);
      if (host.endsWith(suffix) && isTopLevel(short.slice(short.lastIndexOf(".") + 1))) expanded.add(short);
    }
  }
  return expanded;
}

/** Of a last label: not too long, and not only digits. */
function isTopLevel(label: string): boolean {
  return label.length <= 63 && /[^0-9]/.test(label);
}

type Rule = Pick<RouteHost, "visibility" | "paths">;

/** The paths of two rules; where only one of them is for everybody, the other's are marked. */
function mergedPaths(before: Rule, more: Rule): Rule {
  if (before.visibility === more.visibility) return { visibility: before.visibility, paths: [...before.paths, ...more.paths] };
  const marked = ({ visibility, paths }: Rule): readonly RoutePath[] =>
    visibility === "ExternalIP" ? paths : paths.map((path) => ({ ...path, isLocal: true as const }));
  return { visibility: "ExternalIP", paths: [...marked(before), ...marked(more)] };
}

function visibilityOf(rule: IngressRule): RouteHost["visibility"] {
  return rule.visibility === "ClusterLocal" ? "ClusterLocal" : "ExternalIP";
}

function routePath(path: IngressPath, references: Map<string, Reference>): RoutePath {
  const alone = path.splits.length === 1;
  const splits = path.splits.map((split) => ({ split, percent: percentOf(split, alone) })).filter(({ percent }) => percent > 0);
  return {
    prefix: path.path ?? "",
    headers: Object.entries(path.headers ?? {}).map(([name, match]) => [name, match.exact ?? ""] as const),
    appendHeaders: Object.entries(path.appendHeaders ?? {}),
    splits: splits.map(({ split, percent }) => {
      const reference = referenceOf(split);
      references.set(reference.key, reference);
      return { backend: reference.key, percent, appendHeaders: Object.entries(split.appendHeaders ?? {}) };
    }),
    ...(path.rewriteHost === undefined || path.rewriteHost === "" ? {} : { rewriteHost: path.rewriteHost }),
  };
}

function referenceOf({ serviceNamespace, serviceName, servicePort }: IngressSplit): Reference {
  const service = `${serviceNamespace}/${serviceName}`;
  return { key: `${service}:${servicePort}`, service, port: String(servicePort) };
}

/** A share that stands alone may omit its weight. */
function percentOf({ percent = 0 }: IngressSplit, alone: boolean): number {
  return alone && percent === 0 ? 100 : percent;
}

/** The hosts with what stands behind the references just now. */
export function resolvedHosts(hosts: readonly RouteHost[], resolutionOf: (reference: string) => Resolution | undefined): RouteHost[] {
  const resolved = (split: RouteSplit): RouteSplit => {
    const resolution = resolutionOf(split.backend);
    if (resolution?.is === "revision") return { ...split, backend: resolution.key };
    return { ...split, to: resolution?.is === "gateway" ? "gateway" : "service" };
  };
  return hosts.map((host) => ({ ...host, paths: host.paths.map((path) => ({ ...path, splits: path.splits.map(resolved) })) }));
}

/** Identifies the configuration for network probes, as Knative's own programs reckon: SHA-256 of spec, namespace and name. */
function hashOf(ingress: Ingress): string {
  const { namespace = "", name } = ingress.metadata;
  return createHash("sha256")
    .update(ingressSpecJson(ingress.spec ?? {}))
    .update(namespace)
    .update(name)
    .digest("hex");
}
