// From a Revision or Configuration to the Routes that it concerns.
import { annotationOf, serving } from "#kinds";
import type { KubeObject, ObjectKey } from "#schema";
import { namesIn } from "./annotations.ts";
import type { Tracker } from "./tracker.ts";

/** The Routes that are noted on an object, and those that asked for it before they could be noted. */
export function routesNoted(tracker: Tracker): (object: KubeObject) => readonly ObjectKey[] {
  return ({ metadata }) => {
    const namespace = metadata.namespace ?? "";
    const noted = namesIn(annotationOf(metadata.annotations, serving.routes));
    const asking = tracker.askersOf({ namespace, name: metadata.name }).map((key) => key.name);
    return [...new Set([...noted, ...asking])].map((name) => ({ namespace, name }));
  };
}
