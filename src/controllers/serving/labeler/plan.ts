// Notes on Revisions and Configurations which Routes use them; a Revision without a Route goes into reserve (serving.md §2.6).
//
// Route                            what its traffic names   what only carries its name
// going away                       –                        name removed, then the finalizer
// not settled for its generation   name added               stays
// ready or failed                  name added               name removed, but from the Configuration of its Service
import { rfc3339 } from "#core";
import { Configuration, Revision, Route, serving } from "#kinds";
import type { Patch, Plan, PlanEvent } from "#reconcile";
import type { Kind } from "#schema";
import { joinNames, namesIn } from "../annotations.ts";
import { isFailed, isReady } from "../status.ts";
import type { ObservedLabels } from "./observe.ts";

/** The annotation after the Route's name has been added or removed; null takes it away. */
function routesAfter(object: Revision | Configuration, route: string, add: boolean): string | null | undefined {
  const names = namesIn(object.metadata.annotations?.[serving.routes]);
  if (names.includes(route) === add) return undefined;
  const after = add ? [...names, route] : names.filter((name) => name !== route);
  return after.length === 0 ? null : joinNames(after);
}

function patchFor(kind: Kind, object: Revision | Configuration, its: { readonly labels: object; readonly annotations: object }): Patch[] {
  const isEmpty = Object.keys(its.labels).length === 0 && Object.keys(its.annotations).length === 0;
  const metadata = {
    ...(Object.keys(its.labels).length === 0 ? {} : { labels: its.labels }),
    ...(Object.keys(its.annotations).length === 0 ? {} : { annotations: its.annotations }),
  };
  const { name, namespace = "" } = object.metadata;
  return isEmpty ? [] : [{ kind, namespace, name, type: "application/merge-patch+json", body: { metadata } }];
}

function configurationPatch(configuration: Configuration, route: string, add: boolean): Patch[] {
  const routes = routesAfter(configuration, route, add);
  return patchFor(Configuration as unknown as Kind, configuration, { labels: {}, annotations: routes === undefined ? {} : { [serving.routes]: routes } });
}

function revisionPatch(revision: Revision, route: string, its: { readonly add: boolean; readonly nowWallMs: number }): Patch[] {
  const routes = routesAfter(revision, route, its.add);
  const after = routes === undefined ? (revision.metadata.annotations?.[serving.routes] ?? "") : (routes ?? "");
  const state = after === "" ? "reserve" : "active";
  const isChanged = revision.metadata.labels?.[serving.routingState] !== state;
  return patchFor(Revision as unknown as Kind, revision, {
    labels: isChanged ? { [serving.routingState]: state } : {},
    annotations: {
      ...(routes === undefined ? {} : { [serving.routes]: routes }),
      ...(isChanged ? { [serving.routingStateModified]: rfc3339(its.nowWallMs) } : {}),
    },
  });
}

function finalizerPatch(route: Route, finalizers: readonly string[]): Patch {
  const { name, namespace = "", resourceVersion } = route.metadata;
  return { kind: Route as unknown as Kind, namespace, name, type: "application/merge-patch+json", body: { metadata: { finalizers, resourceVersion } } };
}

function cleared({ route, noted, nowWallMs }: ObservedLabels, keep: ReadonlySet<string>): Patch[] {
  const { name } = route.metadata;
  const isStale = (object: Revision | Configuration): boolean => !keep.has(object.metadata.uid);
  return [
    ...noted.revisions.filter(isStale).flatMap((revision) => revisionPatch(revision, name, { add: false, nowWallMs })),
    ...noted.configurations.filter(isStale).flatMap((configuration) => configurationPatch(configuration, name, false)),
  ];
}

/** A Service notes its Route on its Configuration in every pass: were the note taken away, the two would never come to rest. */
function servicesOwn({ route, noted }: ObservedLabels): readonly Configuration[] {
  return route.metadata.labels?.[serving.service] === undefined ? [] : noted.configurations;
}

/** Knative asks its cache for a Revision by the singular. */
function failureFor({ route, missing: [first] }: ObservedLabels): Pick<Plan, "failure"> {
  if (first === undefined) return {};
  const why = `revision.serving.knative.dev "${first}" not found`;
  return { failure: `failed to add route annotation to Namespace=${route.metadata.namespace} Name="${first}": ${why}` };
}

export function planLabels(observed: ObservedLabels): Plan {
  const { route, listed, nowWallMs } = observed;
  const { name, finalizers = [] } = route.metadata;
  const hasFinalizer = finalizers.includes(serving.routesFinalizer);
  const updated: PlanEvent = { type: "Normal", reason: "FinalizerUpdate", message: `Updated "${name}" finalizers` };
  if (route.metadata.deletionTimestamp !== undefined) {
    if (!hasFinalizer) return { desired: undefined };
    const rest = finalizers.filter((finalizer) => finalizer !== serving.routesFinalizer);
    return { desired: undefined, patches: [...cleared(observed, new Set()), finalizerPatch(route, rest)], events: [updated] };
  }
  const isSettled = isReady(route) || isFailed(route);
  const keep = new Set([...listed.revisions, ...listed.configurations, ...servicesOwn(observed)].map((object) => object.metadata.uid));
  const patches = [
    ...(hasFinalizer ? [] : [finalizerPatch(route, [...finalizers, serving.routesFinalizer])]),
    ...(isSettled ? cleared(observed, keep) : []),
    ...listed.revisions.flatMap((revision) => revisionPatch(revision, name, { add: true, nowWallMs })),
    ...listed.configurations.flatMap((configuration) => configurationPatch(configuration, name, true)),
  ];
  return { desired: undefined, patches, events: hasFinalizer ? [] : [updated], ...failureFor(observed) };
}
