// Route → Ingress and placeholder Services, once all its traffic is known (serving.md §2.7).
//
// AllTrafficAssigned      traffic.ts; False ErrorConfig when a host is not a domain name; bad traffic freezes all the rest
// CertificateProvisioned  True TLSNotEnabled: certificates are not made here
// IngressReady            the Ingress's Ready; Unknown IngressNotConfigured while it works on the latest spec, RolloutInProgress
//                         while the latest revision gets its traffic in steps (rollout.ts);
//                         False NotOwned when another holds the name of a placeholder Service
import { isDeepStrictEqual } from "node:util";
import { parseDurationMs } from "#core";
import {
  annotationOf,
  CoreService,
  Endpoints,
  Ingress,
  networking,
  routeConditions as conditions,
  serving,
  type LoadBalancerStatus,
  type Route,
  type TrafficTarget,
} from "#kinds";
import type { Child, Plan } from "#reconcile";
import { conditionOf, type Condition, type Draft } from "#schema";
import { tellsCreated } from "../created.ts";
import { isControlledBy } from "../ownership.ts";
import { beginConditions, propagate } from "../status.ts";
import { gatewayServiceFor, ingressFor, mergeService, mustRecreate, placeholderFor, type PlaceholderChildren } from "./children.ts";
import { addressOf, hostOf, nameFor, routeVisibility, urlOf, type Visibility } from "./hosts.ts";
import type { ObservedRoute } from "./observe.ts";
import { isDone, planRollout, rolloutSecondsOf, type Rollout } from "./rollout.ts";
import { resolveTraffic, wantedRollout, withRollout, type Traffic } from "./traffic.ts";

const ALL_TRAFFIC_ASSIGNED = "AllTrafficAssigned";
const CERTIFICATE_PROVISIONED = "CertificateProvisioned";
const INGRESS_READY = "IngressReady";
const ROLLOUT_IN_PROGRESS = { reason: "RolloutInProgress", message: "A gradual rollout of the latest revision(s) is in progress." };
const NS_PER_MS = 1_000_000n;

type RouteStatus = NonNullable<Route["status"]>;

interface Draw {
  readonly marks: readonly Condition[];
  readonly url: string | undefined;
  readonly address: RouteStatus["address"];
  readonly traffic: RouteStatus["traffic"];
}

const markNotConfigured = (marks: readonly Condition[]): Condition[] =>
  conditions.markUnknown(marks, INGRESS_READY, { reason: "IngressNotConfigured", message: "Ingress has not yet been reconciled." });

function begin(route: Route): Draw {
  const begun = beginConditions(conditions, route);
  const isNew = route.metadata.generation !== route.status?.observedGeneration;
  const { url, address, traffic } = route.status ?? {};
  return { marks: isNew ? markNotConfigured(begun) : begun, url, address, traffic };
}

function statusOf(route: Route, { marks, url, address, traffic }: Draw): object {
  const { url: _u, address: _a, traffic: _t, conditions: _c, ...other } = route.status ?? {};
  return {
    ...other,
    ...(url === undefined ? {} : { url }),
    ...(address === undefined ? {} : { address }),
    ...(traffic === undefined ? {} : { traffic }),
    observedGeneration: route.metadata.generation,
    conditions: conditions.sorted(marks),
  };
}

/** How far each tag reaches: a local Route makes all of its tags local, a label on the placeholder its own one. */
function visibilityOf({ route, services, settings }: ObservedRoute): Map<string, Visibility> {
  const whole = routeVisibility(route, settings);
  const tags = ["", ...(route.spec.traffic ?? []).map((target) => target.tag ?? "")];
  return new Map(
    tags.map((tag) => {
      const labels = services.get(nameFor(route, tag, settings))?.metadata.labels;
      const isLabelled = labels?.[serving.route] === route.metadata.name && (labels[networking.visibility] ?? "") !== "";
      return [tag, isLabelled ? "ClusterLocal" : whole];
    }),
  );
}

type Urls = { readonly url: string } | { readonly error: string };

function urlFor(observed: ObservedRoute, tag: string, visibility: ReadonlyMap<string, Visibility>): Urls {
  const { route, settings, publicPort } = observed;
  const reach = visibility.get(tag) ?? "ExternalIP";
  const result = hostOf(route, tag, { visibility: reach, settings });
  return "error" in result ? result : { url: urlOf(result.host, { visibility: reach, settings, publicPort }) };
}

/** What the status tells about the traffic; URLs on tags only. */
function trafficStatus(
  observed: ObservedRoute,
  traffic: Traffic,
  visibility: ReadonlyMap<string, Visibility>,
): { readonly entries: TrafficTarget[] } | { readonly error: string } {
  const entries: TrafficTarget[] = [];
  for (const { tag, revisionName, percent, latestRevision } of traffic.targets) {
    const entry: TrafficTarget = { revisionName, percent, latestRevision };
    if (tag === "") {
      entries.push(entry);
      continue;
    }
    const made = urlFor(observed, tag, visibility);
    if ("error" in made) return made;
    entries.push({ ...entry, tag, url: made.url });
  }
  return { entries };
}

function planBadDomain(route: Route, draw: Draw, error: string): Plan {
  const marks = conditions.markFalse(draw.marks, ALL_TRAFFIC_ASSIGNED, { reason: "ErrorConfig", message: error });
  return { desired: undefined, status: statusOf(route, { ...draw, marks }), failure: error };
}

/** Another's Service or Endpoints under one of the names, in the order of the tags. */
function foreignChild(
  { route, services, endpoints, settings }: ObservedRoute,
  traffic: Traffic,
): { readonly kind: "Service" | "Endpoints"; readonly name: string } | undefined {
  for (const tag of traffic.groups.keys()) {
    const name = nameFor(route, tag, settings);
    const service = services.get(name);
    if (service !== undefined && !isControlledBy(service, route)) return { kind: "Service", name };
    const addresses = endpoints.get(name);
    if (addresses !== undefined && !isControlledBy(addresses, route)) return { kind: "Endpoints", name };
  }
  return undefined;
}

function planForeign(route: Route, draw: Draw, its: { readonly kind: "Service" | "Endpoints"; readonly name: string }): Plan {
  const what = its.kind === "Service" ? "Service" : "Endpoint";
  const message = `There is an existing placeholder ${what} "${its.name}" that we do not own.`;
  const marks = conditions.markFalse(draw.marks, INGRESS_READY, { reason: "NotOwned", message });
  const failure = `route: "${route.metadata.name}" does not own ${its.kind}: "${its.name}"`;
  return { desired: undefined, status: statusOf(route, { ...draw, marks }), failure };
}

/** Inside the cluster the private gateway serves; the public one stands in where there is none. */
function balancerOf(ingress: Ingress | undefined, isLocalService: boolean): LoadBalancerStatus | undefined {
  const { privateLoadBalancer, publicLoadBalancer } = ingress?.status ?? {};
  return isLocalService || (privateLoadBalancer?.ingress ?? []).length > 0 ? privateLoadBalancer : publicLoadBalancer;
}

interface Placeholders {
  readonly children: readonly Child[];
}

const serviceChild = ({ service, endpoints }: PlaceholderChildren, current: CoreService | undefined): Child[] =>
  [
    { kind: CoreService, object: service, merge: mergeService, ...(current === undefined ? tellsCreated("placeholder service") : {}) },
    ...(endpoints === undefined ? [] : [{ kind: Endpoints, object: endpoints }]),
  ] as unknown as Child[];

function placeholders(observed: ObservedRoute, traffic: Traffic): Placeholders | { readonly error: string } {
  const { route, services, ingress, settings } = observed;
  const children: Child[] = [];
  for (const tag of traffic.groups.keys()) {
    const held = placeholderFor(route, tag, settings);
    if ("error" in held) return held;
    const current = services.get(held.service.metadata.name ?? "");
    const isLocalService = current?.metadata.labels?.[networking.visibility] === networking.clusterLocal;
    const placed = gatewayServiceFor(route, tag, { balancer: balancerOf(ingress, isLocalService), settings });
    if (placed === undefined && current !== undefined) children.push({ kind: CoreService, object: current, merge: () => undefined } as Child);
    else if (current === undefined || placed === undefined || !mustRecreate(current, placed.service)) children.push(...serviceChild(placed ?? held, current));
    // Otherwise it is left out, so that it is deleted now and made anew in the next pass.
  }
  return { children };
}

/** Where the rollout of the latest revisions stands now. */
function rolloutFor({ route, ingress, settings, nowMs }: ObservedRoute, traffic: Traffic): ReturnType<typeof planRollout> {
  const { generation, annotations } = ingress?.metadata ?? {};
  const isReadyNow = generation === ingress?.status?.observedGeneration && conditionOf(ingress?.status?.conditions, "Ready")?.status === "True";
  return planRollout({
    wanted: wantedRollout(traffic),
    stored: annotations?.[networking.rollout],
    durationSeconds: rolloutSecondsOf(
      parseDurationMs(annotationOf(route.metadata.annotations, serving.rolloutDuration) ?? ""),
      settings.network.rolloutDurationSeconds,
    ),
    becameReady: isReadyNow && conditionOf(route.status?.conditions, INGRESS_READY)?.status !== "True",
    nowNs: BigInt(Math.floor(nowMs.wall)) * NS_PER_MS,
  });
}

const markRollout = (marks: readonly Condition[], rollout: Rollout): readonly Condition[] =>
  isDone(rollout) ? marks : conditions.markUnknown(marks, INGRESS_READY, ROLLOUT_IN_PROGRESS);

function markIngress(marks: readonly Condition[], ingress: Ingress | undefined, wanted: Draft<Ingress>): Condition[] {
  const isCurrent = ingress !== undefined && ingress.metadata.generation === ingress.status?.observedGeneration && isDeepStrictEqual(ingress.spec, wanted.spec);
  const ready = conditionOf(ingress?.status?.conditions, "Ready");
  return isCurrent && ready !== undefined ? propagate(conditions, marks, INGRESS_READY, ready) : markNotConfigured(marks);
}

export function planRoute(observed: ObservedRoute): Plan {
  const { route, ingress, settings, sources } = observed;
  if (route.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = begin(route);
  const visibility = visibilityOf(observed);
  const main = urlFor(observed, "", visibility);
  if ("error" in main) return planBadDomain(route, begun, main.error);
  const named = { ...begun, url: main.url };

  const resolved = resolveTraffic(route, sources);
  if (!("groups" in resolved)) {
    const mark = resolved.status === "False" ? conditions.markFalse : conditions.markUnknown;
    const marks = mark(named.marks, ALL_TRAFFIC_ASSIGNED, resolved);
    return { desired: undefined, status: statusOf(route, { ...named, marks }) };
  }
  const { rollout, dueNs } = rolloutFor(observed, resolved);
  const traffic = withRollout(resolved, rollout);
  const told = trafficStatus(observed, traffic, visibility);
  if ("error" in told) return planBadDomain(route, named, told.error);
  const assigned = { ...named, traffic: told.entries, address: { url: addressOf(route) }, marks: conditions.markTrue(named.marks, ALL_TRAFFIC_ASSIGNED) };
  const foreign = foreignChild(observed, traffic);
  if (foreign !== undefined) return planForeign(route, assigned, foreign);

  const held = placeholders(observed, traffic);
  if ("error" in held) return { desired: undefined, status: statusOf(route, assigned), failure: held.error };
  const why = { reason: "TLSNotEnabled", message: "external-domain-tls is not enabled" };
  const certified = { ...assigned, marks: conditions.markTrue(assigned.marks, CERTIFICATE_PROVISIONED, why) };
  const wanted = ingressFor(route, { traffic, rollout, visibility }, settings);
  if ("error" in wanted) {
    const kept = ingress === undefined ? [] : [{ kind: Ingress, object: ingress, merge: () => undefined } as Child];
    return { desired: [...held.children, ...kept], status: statusOf(route, certified), failure: wanted.error };
  }
  const child = { kind: Ingress, object: wanted, ...(ingress === undefined ? tellsCreated("Ingress") : {}) } as Child;
  const marks = markRollout(markIngress(certified.marks, ingress, wanted), rollout);
  const wake = dueNs === undefined ? {} : { wakeAtMs: observed.nowMs.monotonic + Math.max(0, Number(dueNs) / Number(NS_PER_MS)) };
  return { desired: [...held.children, child], status: statusOf(route, { ...certified, marks }), ...wake };
}
