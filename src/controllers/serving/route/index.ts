// The controller of Routes: it watches Routes, what their traffic names, and the Ingresses and Services that they own.
import { Configuration, CoreService, Endpoints, Ingress, Revision, Route } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import { routesNoted } from "../routes-noted.ts";
import { Tracker } from "../tracker.ts";
import type { RouteSettings } from "./children.ts";
import { observeRoute, type ObservedRoute } from "./observe.ts";
import { planRoute } from "./plan.ts";

export interface RouteControllerDeps {
  readonly config: () => RouteSettings;
  /** The port that public URLs show; undefined when the gateway is on the scheme's own. */
  readonly publicPort: () => number | undefined;
}

/** Resolves the traffic of each Route and asks a gateway to carry it. */
export function routeController(deps: RouteControllerDeps): Controller<Route, ObservedRoute> {
  const readers = { ...deps, configurations: new Tracker(), revisions: new Tracker() };
  const watches = [
    { kind: Configuration, keys: routesNoted(readers.configurations) },
    { kind: Revision, keys: routesNoted(readers.revisions) },
  ] as unknown as readonly Watched[];
  return {
    name: "route-controller",
    primary: Route,
    owns: [Ingress, CoreService, Endpoints],
    watches,
    observe: (key, world) => observeRoute(key, world, readers),
    plan: planRoute,
    primaryOf: ({ route }) => route,
    forget(key) {
      readers.configurations.forget(key);
      readers.revisions.forget(key);
    },
  };
}
