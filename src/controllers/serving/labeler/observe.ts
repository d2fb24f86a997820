// What the labeler's plan knows: what a Route's traffic names, and what carries the Route's name already.
import { annotationOf, Configuration, Revision, Route, serving, type TrafficTarget } from "#kinds";
import { controllerOf, type ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { namesIn } from "../annotations.ts";
import type { Tracker } from "../tracker.ts";

export interface ObservedLabels {
  readonly route: Route;
  /** What the traffic names, as far as it exists. */
  readonly listed: { readonly revisions: readonly Revision[]; readonly configurations: readonly Configuration[] };
  /** What has the Route in its annotation. */
  readonly noted: { readonly revisions: readonly Revision[]; readonly configurations: readonly Configuration[] };
  /** Latest created Revisions by name that traffic to the latest one needs and that are gone. */
  readonly missing: readonly string[];
  readonly nowWallMs: number;
}

const isNoted = (object: Revision | Configuration, route: string): boolean =>
  namesIn(annotationOf(object.metadata.annotations, serving.routes)).includes(route);

interface Listed {
  readonly revisions: Map<string, Revision>;
  readonly configurations: Map<string, Configuration>;
  readonly missing: Set<string>;
}

async function list(target: TrafficTarget, listed: Listed, at: { readonly world: ShellWorld; readonly namespace: string }): Promise<void> {
  const { world, namespace } = at;
  let configurationName = target.configurationName ?? "";
  if ((target.revisionName ?? "") !== "") {
    const revision = await world.client.find(Revision, namespace, target.revisionName ?? "");
    if (revision === undefined) return;
    listed.revisions.set(revision.metadata.name, revision);
    const owner = controllerOf(revision);
    if (owner?.kind === Configuration.kind) configurationName = owner.name;
  }
  if (configurationName === "") return;
  const configuration = await world.client.find(Configuration, namespace, configurationName);
  if (configuration === undefined) return;
  listed.configurations.set(configurationName, configuration);
  const latest = configuration.status?.latestCreatedRevisionName ?? "";
  if (latest === "" || target.latestRevision !== true) return;
  const revision = await world.client.find(Revision, namespace, latest);
  if (revision === undefined) listed.missing.add(latest);
  else listed.revisions.set(latest, revision);
}

/** A Route of a Service can only be noted on that Service's Configuration; any other one on all of the namespace. */
async function notedConfigurations(route: Route, world: ShellWorld): Promise<readonly Configuration[]> {
  const { name, namespace = "", labels } = route.metadata;
  const service = labels?.[serving.service];
  const candidates =
    service === undefined ? (await world.client.list(Configuration, { namespace })).items : [await world.client.find(Configuration, namespace, service)];
  return candidates.filter((configuration) => configuration !== undefined && isNoted(configuration, name)) as Configuration[];
}

export async function observeLabels(key: ObjectKey, world: ShellWorld, tracker: Tracker): Promise<ObservedLabels | undefined> {
  const route = await world.client.find(Route, key.namespace, key.name);
  if (route === undefined) return undefined;
  const targets = [...(route.status?.traffic ?? []), ...(route.spec.traffic ?? [])];
  const listed: Listed = { revisions: new Map(), configurations: new Map(), missing: new Set() };
  for (const target of targets) await list(target, listed, { world, namespace: key.namespace });
  tracker.track(
    key,
    targets.flatMap((target) => [target.revisionName ?? "", target.configurationName ?? ""]).filter((name) => name !== ""),
  );

  const configurations = await notedConfigurations(route, world);
  const families = new Map([...configurations, ...listed.configurations.values()].map((configuration) => [configuration.metadata.uid, configuration]));
  const members = await Promise.all([...families.values()].map((configuration) => world.owned(Revision, configuration.metadata)));
  return {
    route,
    listed: { revisions: [...listed.revisions.values()], configurations: [...listed.configurations.values()] },
    noted: { revisions: members.flat().filter((revision) => isNoted(revision, key.name)), configurations },
    missing: [...listed.missing],
    nowWallMs: world.nowMs.wall,
  };
}
