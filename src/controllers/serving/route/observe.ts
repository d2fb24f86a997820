// What a Route's plan knows: what its traffic names, its children, and who else holds their names.
import { childName, Configuration, CoreService, Endpoints, Ingress, Revision, Route, serving, type TrafficTarget } from "#kinds";
import type { World } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";
import type { Tracker } from "../tracker.ts";
import type { RouteSettings } from "./children.ts";
import { nameFor } from "./hosts.ts";
import type { TrafficSources } from "./traffic.ts";

export interface ObservedRoute {
  readonly route: Route;
  readonly sources: TrafficSources;
  readonly ingress: Ingress | undefined;
  /** By name; also those that are not the Route's. */
  readonly services: ReadonlyMap<string, CoreService>;
  readonly endpoints: ReadonlyMap<string, Endpoints>;
  readonly settings: RouteSettings;
  readonly publicPort: number | undefined;
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
}

export interface RouteReaders {
  readonly config: () => RouteSettings;
  readonly publicPort: () => number | undefined;
  /** Who asked for a Configuration or a Revision that may come or change later. */
  readonly configurations: Tracker;
  readonly revisions: Tracker;
}

const isNamed = (name: string | undefined): name is string => name !== undefined && name !== "";

async function findAll<O extends KubeObject>(
  kind: Kind<O>,
  names: Iterable<string>,
  at: { readonly world: World; readonly namespace: string },
): Promise<Map<string, O>> {
  const found = await Promise.all([...new Set(names)].map((name) => at.world.client.find(kind, at.namespace, name)));
  return new Map(found.filter((object) => object !== undefined).map((object) => [object.metadata.name, object]));
}

async function observeSources(
  traffic: readonly TrafficTarget[],
  at: { readonly world: World; readonly namespace: string },
): Promise<TrafficSources & { readonly asked: { configurations: string[]; revisions: string[] } }> {
  const revisionNames = traffic.map((target) => target.revisionName).filter(isNamed);
  const configurationNames = traffic
    .filter((target) => !isNamed(target.revisionName))
    .map((target) => target.configurationName)
    .filter(isNamed);
  const [followed, pinned] = await Promise.all([findAll(Configuration, configurationNames, at), findAll(Revision, revisionNames, at)]);
  const parents = [...pinned.values()].map((revision) => revision.metadata.labels?.[serving.configuration]).filter(isNamed);
  const latest = [...followed.values()].map((configuration) => configuration.status?.latestReadyRevisionName).filter(isNamed);
  const [owning, ready] = await Promise.all([findAll(Configuration, parents, at), findAll(Revision, latest, at)]);
  return {
    configurations: new Map([...owning, ...followed]),
    revisions: new Map([...ready, ...pinned]),
    asked: { configurations: [...configurationNames, ...parents], revisions: [...revisionNames, ...latest] },
  };
}

export async function observeRoute(key: ObjectKey, world: World, readers: RouteReaders): Promise<ObservedRoute | undefined> {
  const route = await world.client.find(Route, key.namespace, key.name);
  if (route === undefined) return undefined;
  const settings = readers.config();
  const traffic = route.spec.traffic ?? [];
  const at = { world, namespace: key.namespace };
  const names = ["", ...traffic.map((target) => target.tag ?? "")].map((tag) => nameFor(route, tag, settings));
  const [sources, ingress, services, endpoints] = await Promise.all([
    observeSources(traffic, at),
    world.client.find(Ingress, key.namespace, childName(key.name, "")),
    findAll(CoreService, names, at),
    findAll(Endpoints, names, at),
  ]);
  readers.configurations.track(key, sources.asked.configurations);
  readers.revisions.track(key, sources.asked.revisions);
  return { route, sources, ingress, services, endpoints, settings, publicPort: readers.publicPort(), nowMs: world.nowMs };
}
