// The controller of Revisions: it watches Revisions, their Deployments, PodAutoscalers and Images, and pods, whose failures it tells.
import type { Clock, Rng } from "#core";
import { Deployment, Image, Pod, PodAutoscaler, Revision, type ServingConfig } from "#kinds";
import type { Controller } from "#reconcile";
import type { ObjectKey } from "#schema";
import { keyOfRevision } from "../of-revision.ts";
import { DigestResolver, type ResolveDigest, type ResolveDigests } from "./effects.ts";
import { observeRevision, type ObservedRevision } from "./observe.ts";
import { planRevision } from "./plan.ts";
import { revisionSettings } from "./settings.ts";

export type { ResolveDigest, ResolvedDigest } from "./effects.ts";
export { samplePodFor } from "./sample-pod.ts";

export interface RevisionControllerDeps {
  readonly config: () => ServingConfig;
  readonly resolveDigest: ResolveDigest;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Wakes a Revision whose images are resolved: `requeue` of the running controller. */
  readonly wake: (key: ObjectKey) => void;
}

/** Deploys each Revision once its images are known, and tells how it goes. */
export function revisionController(deps: RevisionControllerDeps): Controller<Revision, ObservedRevision, ResolveDigests> {
  const resolver = new DigestResolver(deps);
  const sources = { settings: () => revisionSettings(deps.config()), resolver };
  return {
    name: "revision-controller",
    primary: Revision,
    owns: [Deployment, PodAutoscaler, Image],
    watches: [{ kind: Pod, keys: keyOfRevision, read: true }],
    observe: (key, world) => observeRevision(key, world, sources),
    plan: planRevision,
    primaryOf: ({ revision }) => revision,
    runEffect: async (effect, _world, signal) => resolver.start(effect, signal),
    forget: (key) => resolver.forget(key),
  };
}
