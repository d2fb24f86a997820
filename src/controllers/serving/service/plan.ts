// Service → Configuration and Route; its status is what they say (serving.md §2.2).
//
// ConfigurationsReady   Configuration's Ready, or OutOfDate while it works on the latest spec, or NotOwned
// RoutesReady           Route's Ready, or OutOfDate, NotOwned, RevisionNameTaken, TrafficNotMigrated
// Ready                 both
import { isDeepStrictEqual } from "node:util";
import { Configuration, Route, serving, serviceConditions as conditions, type Service, type TrafficTarget } from "#kinds";
import type { Child, Plan } from "#reconcile";
import { conditionOf, type Condition, type Draft } from "#schema";
import { tellsCreated } from "../created.ts";
import { isControlledBy, notOwnedMessage } from "../ownership.ts";
import { beginConditions, propagate } from "../status.ts";
import { configurationFor, routeFor } from "./children.ts";
import type { ObservedService } from "./observe.ts";

const CONFIGURATIONS_READY = "ConfigurationsReady";
const ROUTES_READY = "RoutesReady";

const outOfDate = (kind: string) => ({ reason: "OutOfDate", message: `The ${kind} is still working to reflect the latest desired specification.` });

type ServiceStatus = NonNullable<Service["status"]>;

/** What the rest of the status is while a pass goes on. */
interface Draw {
  readonly marks: Condition[];
  readonly latest: Pick<ServiceStatus, "latestCreatedRevisionName" | "latestReadyRevisionName">;
  readonly routing: Pick<ServiceStatus, "url" | "address" | "traffic">;
}

/** The child has taken in the spec that is wanted now. */
function isUpToDate(child: Configuration | Route, wanted: Draft<Configuration> | Draft<Route>): boolean {
  return child.metadata.generation === child.status?.observedGeneration && isDeepStrictEqual(child.spec, wanted.spec);
}

/** The Revision name is in use by something that is not the template's own Revision. */
function isNameTaken({ service, configuration, namedRevision }: ObservedService): boolean {
  if (namedRevision === undefined) return false;
  if (configuration === undefined || !isControlledBy(namedRevision, configuration)) return true;
  if (namedRevision.metadata.labels?.[serving.configurationGeneration] === String(configuration.metadata.generation)) return false;
  return !isDeepStrictEqual(service.spec.template.spec, namedRevision.spec);
}

/** Spec and status of the Route agree once configurations are replaced by their latest ready revisions. */
function isTrafficMigrated(route: Route, configuration: Configuration): boolean {
  const comparable = ({ url: _url, latestRevision: _latest, ...rest }: TrafficTarget): object => rest;
  const wanted = (route.spec.traffic ?? []).map((target) => {
    if (target.configurationName !== configuration.metadata.name) return comparable(target);
    const { configurationName: _configuration, ...rest } = target;
    const ready = configuration.status?.latestReadyRevisionName;
    return comparable({ ...rest, ...(ready === undefined ? {} : { revisionName: ready }) });
  });
  return isDeepStrictEqual(wanted, (route.status?.traffic ?? []).map(comparable));
}

function statusOf(service: Service, { marks, latest, routing }: Draw): object {
  const { conditions: _conditions, observedGeneration: _generation, ...rest } = service.status ?? {};
  const { latestCreatedRevisionName: _created, latestReadyRevisionName: _ready, url: _url, address: _address, traffic: _traffic, ...other } = rest;
  return { ...other, ...latest, ...routing, observedGeneration: service.metadata.generation, conditions: conditions.sorted(marks) };
}

const pickLatest = (status: Configuration["status"]): Draw["latest"] => ({
  ...(status?.latestCreatedRevisionName === undefined ? {} : { latestCreatedRevisionName: status.latestCreatedRevisionName }),
  ...(status?.latestReadyRevisionName === undefined ? {} : { latestReadyRevisionName: status.latestReadyRevisionName }),
});

const pickRouting = (status: Pick<ServiceStatus, "url" | "address" | "traffic"> | undefined): Draw["routing"] => ({
  ...(status?.url === undefined ? {} : { url: status.url }),
  ...(status?.address === undefined ? {} : { address: status.address }),
  ...(status?.traffic === undefined ? {} : { traffic: status.traffic }),
});

/** A child that stays exactly as it is. */
const untouched = (route: Route): Child => ({ kind: Route, object: route, merge: () => undefined }) as Child;

function followConfiguration(draw: Draw, configuration: Configuration | undefined, wanted: Draft<Configuration>): Draw {
  if (configuration === undefined || !isUpToDate(configuration, wanted)) {
    return { ...draw, marks: conditions.markUnknown(draw.marks, CONFIGURATIONS_READY, outOfDate("Configuration")) };
  }
  const ready = conditionOf(configuration.status?.conditions, "Ready");
  return { ...draw, latest: pickLatest(configuration.status), marks: propagate(conditions, draw.marks, CONFIGURATIONS_READY, ready) };
}

function followRoute(draw: Draw, observed: ObservedService, wanted: Draft<Route>): Draw {
  const { route, configuration } = observed;
  if (route === undefined || !isUpToDate(route, wanted)) {
    return { ...draw, marks: conditions.markUnknown(draw.marks, ROUTES_READY, outOfDate("Route")) };
  }
  const marks = propagate(conditions, draw.marks, ROUTES_READY, conditionOf(route.status?.conditions, "Ready"));
  const isLate = conditionOf(marks, ROUTES_READY)?.status === "True" && (configuration === undefined || !isTrafficMigrated(route, configuration));
  const why = { reason: "TrafficNotMigrated", message: "Traffic is not yet migrated to the latest revision." };
  return { ...draw, routing: pickRouting(route.status), marks: isLate ? conditions.markUnknown(marks, ROUTES_READY, why) : marks };
}

export function planService(observed: ObservedService): Plan {
  const { service, configuration, route } = observed;
  const { name } = service.metadata;
  if (service.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun: Draw = { marks: beginConditions(conditions, service), latest: pickLatest(service.status), routing: pickRouting(service.status) };

  if (configuration !== undefined && !isControlledBy(configuration, service)) {
    const marks = conditions.markFalse(begun.marks, CONFIGURATIONS_READY, { reason: "NotOwned", message: notOwnedMessage("Configuration", name) });
    return { desired: undefined, status: statusOf(service, { ...begun, marks }), failure: `service: "${name}" does not own configuration: "${name}"` };
  }
  const wantedConfiguration = configurationFor(service, configuration);
  const first = { kind: Configuration, object: wantedConfiguration, ...(configuration === undefined ? tellsCreated("Configuration") : {}) } as Child;
  const followed = followConfiguration(begun, configuration, wantedConfiguration);
  const ownRoute = route !== undefined && isControlledBy(route, service) ? [untouched(route)] : [];

  const revisionName = service.spec.template.metadata?.name ?? "";
  const isWaiting = configuration === undefined || !isUpToDate(configuration, wantedConfiguration);
  if (revisionName !== "" && isWaiting) return { desired: [first, ...ownRoute], status: statusOf(service, followed) };
  if (isNameTaken(observed)) {
    const message = `The revision name "${revisionName}" is taken by a conflicting Revision, so traffic will not be migrated`;
    const marks = conditions.markFalse(followed.marks, ROUTES_READY, { reason: "RevisionNameTaken", message });
    return { desired: [first, ...ownRoute], status: statusOf(service, { ...followed, marks }) };
  }
  if (route !== undefined && !isControlledBy(route, service)) {
    const marks = conditions.markFalse(followed.marks, ROUTES_READY, { reason: "NotOwned", message: notOwnedMessage("Route", name) });
    return { desired: [first], status: statusOf(service, { ...followed, marks }), failure: `service: "${name}" does not own route: "${name}"` };
  }
  const wantedRoute = routeFor(service);
  const second = { kind: Route, object: wantedRoute, ...(route === undefined ? tellsCreated("Route") : {}) } as Child;
  return { desired: [first, second], status: statusOf(service, followRoute(followed, observed, wantedRoute)) };
}
