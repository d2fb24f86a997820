// The controller that labels what Routes use: it watches Routes, Revisions and Configurations.
import { Configuration, Revision, Route } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import { routesNoted } from "../routes-noted.ts";
import { Tracker } from "../tracker.ts";
import { observeLabels, type ObservedLabels } from "./observe.ts";
import { planLabels } from "./plan.ts";

/** Keeps the annotation of Routes and the routing state up to date. Its events carry the name that Knative gives them. */
export function labelerController(): Controller<Route, ObservedLabels> {
  const tracker = new Tracker();
  const keys = routesNoted(tracker);
  return {
    name: "route-controller",
    primary: Route,
    // Revisions are found by their Configurations; none is a child of a Route.
    owns: [Revision],
    // Informers are told apart by kind, controller and position: this order differs from that of the Route's controller, which has the same name.
    watches: [
      { kind: Revision, keys },
      { kind: Configuration, keys },
    ] as unknown as readonly Watched[],
    observe: (key, world) => observeLabels(key, world, tracker),
    plan: planLabels,
    primaryOf: ({ route }) => route,
    forget: (key) => tracker.forget(key),
  };
}
