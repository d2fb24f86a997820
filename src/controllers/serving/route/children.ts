// Children of a Route: its Ingress, and a Service for each name under which it is reached (serving.md §2.7).
import { ALTERNATIVE_SPELLINGS, annotationOf, childName, CoreService, Endpoints, Ingress, networking, serving } from "#kinds";
import type { IngressPath, IngressRule, IngressSplit, LoadBalancerStatus, Route, ServiceSpec, ServingConfig } from "#kinds";
import { apiVersionOf, type Draft } from "#schema";
import { LAST_APPLIED, without } from "../annotations.ts";
import { hostOf, localHosts, nameFor, placeholderHostOf, type Visibility } from "./hosts.ts";
import { rolloutText, type Rollout } from "./rollout.ts";
import type { RevisionTarget, Traffic } from "./traffic.ts";

export type RouteSettings = Pick<ServingConfig, "domain" | "network" | "features">;

const DEFAULT_ROUTE_HEADER = "Knative-Serving-Default-Route";
const TAG_HEADER = "Knative-Serving-Tag";
const SERVICE_PORTS = { http1: 80, h2c: 81 } as const;
const SERVICE_HTTPS_PORT = 443;

/** Annotations that concern the Route alone, or that the Ingress has in another spelling. */
const NOT_FOR_INGRESS: readonly string[] = [
  LAST_APPLIED,
  ...(ALTERNATIVE_SPELLINGS[networking.ingressClass] ?? []),
  ...(ALTERNATIVE_SPELLINGS[networking.certificateClass] ?? []),
];

export interface RoutedTraffic {
  readonly traffic: Traffic;
  readonly rollout: Rollout;
  readonly visibility: ReadonlyMap<string, Visibility>;
}

function splitsFor(route: Route, targets: readonly RevisionTarget[], settings: RouteSettings): IngressSplit[] {
  const { namespace = "" } = route.metadata;
  return targets
    .filter(({ percent }) => percent > 0)
    .map(({ revisionName, percent, protocol }) => ({
      serviceNamespace: namespace,
      serviceName: revisionName,
      servicePort: settings.network.systemInternalTls ? SERVICE_HTTPS_PORT : SERVICE_PORTS[protocol],
      percent,
      appendHeaders: { "Knative-Serving-Revision": revisionName, "Knative-Serving-Namespace": namespace },
    }));
}

/** The paths of one tag: everything, and with tag headers enabled also requests that name a tag. */
function pathsFor(route: Route, tag: string, its: { readonly traffic: Traffic; readonly settings: RouteSettings }): IngressPath[] {
  const { traffic, settings } = its;
  const splits = (name: string): IngressSplit[] => splitsFor(route, traffic.groups.get(name) ?? [], settings);
  if (settings.features.tagHeaderBasedRouting !== "Enabled") return [{ splits: splits(tag) }];
  if (tag !== "") return [{ splits: splits(tag), appendHeaders: { [TAG_HEADER]: tag } }];
  const tags = [...traffic.groups.keys()].filter((name) => name !== "");
  const byHeader = tags.map((name) => ({ headers: { [TAG_HEADER]: { exact: name } }, splits: splits(name) }));
  return [...byHeader, { splits: splits(tag), appendHeaders: { [DEFAULT_ROUTE_HEADER]: "true" } }];
}

type Rules = { readonly rules: IngressRule[]; readonly tagToHost: Record<string, string[]> } | { readonly error: string };

function rulesFor(route: Route, { traffic, visibility }: RoutedTraffic, settings: RouteSettings): Rules {
  const rules: IngressRule[] = [];
  const tagToHost: Record<string, string[]> = {};
  for (const tag of traffic.groups.keys()) {
    const reach: Visibility[] = visibility.get(tag) === "ClusterLocal" ? ["ClusterLocal"] : ["ClusterLocal", "ExternalIP"];
    for (const each of reach) {
      const result = hostOf(route, tag, { visibility: each, settings });
      if ("error" in result) return result;
      const hosts = each === "ClusterLocal" ? localHosts(result.host) : [result.host];
      rules.push({ hosts, visibility: each, http: { paths: pathsFor(route, tag, { traffic, settings }) } });
      if (tag !== "") tagToHost[tag] = [...(tagToHost[tag] ?? []), result.host];
    }
  }
  return { rules, tagToHost };
}

/** How plain HTTP is served; the annotation of the Route counts before the settings. */
function httpOptionFor(route: Route, settings: RouteSettings): { readonly option: "Enabled" | "Redirected" } | { readonly error: string } {
  const asked = (annotationOf(route.metadata.annotations, networking.httpProtocol) ?? "").toLowerCase();
  if (asked === "enabled") return { option: "Enabled" };
  if (asked === "redirected") return { option: "Redirected" };
  if (asked !== "") return { error: `incorrect http-protocol annotation: ${asked}` };
  return { option: settings.network.httpProtocol === "Redirected" ? "Redirected" : "Enabled" };
}

/** The Ingress that brings the traffic to the revisions, or why there cannot be one. */
export function ingressFor(route: Route, routed: RoutedTraffic, settings: RouteSettings): Draft<Ingress> | { readonly error: string } {
  const made = rulesFor(route, routed, settings);
  if ("error" in made) return made;
  const http = httpOptionFor(route, settings);
  if ("error" in http) return http;
  const { name, namespace, labels, annotations } = route.metadata;
  const ingressClass = annotationOf(annotations, networking.ingressClass) ?? "";
  return {
    apiVersion: apiVersionOf(Ingress),
    kind: Ingress.kind,
    metadata: {
      name: childName(name, ""),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [serving.route]: name, [serving.routeNamespace]: namespace ?? "" },
      annotations: {
        [networking.ingressClass]: ingressClass === "" ? settings.network.ingressClass : ingressClass,
        [networking.rollout]: rolloutText(routed.rollout),
        ...without(annotations, (key) => NOT_FOR_INGRESS.includes(key)),
        ...(Object.keys(made.tagToHost).length === 0 ? {} : { [networking.tagToHost]: JSON.stringify(made.tagToHost) }),
      },
    },
    spec: { httpOption: http.option, rules: made.rules },
  };
}

type PortShape = NonNullable<ServiceSpec["ports"]>[number];
const H2C_PORT: PortShape = { name: "http2", appProtocol: "kubernetes.io/h2c", port: 80, protocol: "TCP", targetPort: 80 };
const MESH_PORT: PortShape = { name: "http", port: 80, protocol: "TCP", targetPort: 80 };

const externalName = (host: string): ServiceSpec => ({ type: "ExternalName", externalName: host, ports: [H2C_PORT], sessionAffinity: "None" });

function serviceMeta(route: Route, name: string): Draft<CoreService>["metadata"] {
  const { namespace, labels, annotations } = route.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...without(labels, (key) => key === networking.visibility), [serving.route]: route.metadata.name },
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export interface PlaceholderChildren {
  readonly service: Draft<CoreService>;
  readonly endpoints?: Draft<Endpoints>;
}

const serviceDraft = (route: Route, name: string, spec: ServiceSpec): Draft<CoreService> => ({
  apiVersion: apiVersionOf(CoreService),
  kind: CoreService.kind,
  metadata: serviceMeta(route, name),
  spec,
});

/** Holds a name until there is a gateway to point to. */
export function placeholderFor(route: Route, tag: string, settings: RouteSettings): PlaceholderChildren | { readonly error: string } {
  const result = placeholderHostOf(route, tag, settings);
  if ("error" in result) return result;
  return { service: serviceDraft(route, nameFor(route, tag, settings), externalName(result.host)) };
}

/** Points a name to the gateway; undefined while the Ingress names none, or more than one. */
export function gatewayServiceFor(
  route: Route,
  tag: string,
  its: { readonly balancer: LoadBalancerStatus | undefined; readonly settings: RouteSettings },
): PlaceholderChildren | undefined {
  const [balancer, ...more] = its.balancer?.ingress ?? [];
  if (balancer === undefined || more.length > 0) return undefined;
  const name = nameFor(route, tag, its.settings);
  if ((balancer.ip ?? "") !== "") {
    const service = serviceDraft(route, name, { type: "ClusterIP", clusterIP: "None", ports: [H2C_PORT], sessionAffinity: "None" });
    const { targetPort: _targetPort, ...port } = H2C_PORT;
    const subsets = [{ addresses: [{ ip: balancer.ip ?? "" }], ports: [port] }];
    return { service, endpoints: { apiVersion: apiVersionOf(Endpoints), kind: Endpoints.kind, metadata: service.metadata, subsets } };
  }
  const host = (balancer.domainInternal ?? "") === "" ? (balancer.domain ?? "") : (balancer.domainInternal ?? "");
  if (host !== "") return { service: serviceDraft(route, name, externalName(host)) };
  if (balancer.meshOnly !== true) return undefined;
  return { service: serviceDraft(route, name, { type: "ClusterIP", ports: [MESH_PORT], sessionAffinity: "None" }) };
}

/** Others' labels and annotations stay; an address that the server has given stays, too. */
export function mergeService(current: CoreService, wanted: Draft<CoreService>): Draft<CoreService> {
  const isAddressed = current.spec.type === "ClusterIP" && wanted.spec.type === "ClusterIP" && wanted.spec.clusterIP === undefined;
  return {
    ...current,
    metadata: {
      ...current.metadata,
      labels: { ...current.metadata.labels, ...wanted.metadata.labels },
      annotations: { ...current.metadata.annotations, ...wanted.metadata.annotations },
    },
    spec: isAddressed ? { ...current.spec, ...wanted.spec } : wanted.spec,
  };
}

/** Kubernetes refuses these changes: the Service has to be made anew. */
export function mustRecreate(current: CoreService, wanted: Draft<CoreService>): boolean {
  const type = current.spec.type ?? "ClusterIP";
  if (type !== wanted.spec.type) return type !== "ExternalName";
  return type === "ClusterIP" && (current.spec.clusterIP === "None") !== (wanted.spec.clusterIP === "None");
}
