// The controller of PodAutoscalers of the KPA class: it watches their children, Deployments and pods.
import { Deployment, Metric, Pod, PodAutoscaler, ServerlessService } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import type { Kind, KubeObject } from "#schema";
import { keyOfRevision } from "../of-revision.ts";
import { ConditionAges } from "./condition-ages.ts";
import { observePodAutoscaler, type PodAutoscalerOptions } from "./observe.ts";
import type { ObservedPodAutoscaler } from "./observed.ts";
import { planPodAutoscaler } from "./plan.ts";

export type { DeciderSource } from "./decider-source.ts";
export type { PodAutoscalerOptions } from "./observe.ts";
export type { ObservedPodAutoscaler, PodAutoscalerSettings } from "./observed.ts";
export type { Scaled } from "./scale.ts";
export { wallAgeOf } from "./condition-ages.ts";
export { markScale, minReadyOf, numActivatorsFor } from "./active.ts";
export { planPodAutoscaler } from "./plan.ts";
export { scaleOf } from "./scale-step.ts";

function watched<O extends KubeObject>(kind: Kind<O>): Watched {
  return { kind: kind as unknown as Kind, keys: keyOfRevision };
}

/** Scales a revision's Deployment as its decider says, down to zero and up again. */
export function podAutoscalerController(options: PodAutoscalerOptions): Controller<PodAutoscaler, ObservedPodAutoscaler> {
  const ages = new ConditionAges();
  return {
    name: "kpa-class-podautoscaler-controller",
    primary: PodAutoscaler,
    owns: [ServerlessService as unknown as Kind, Metric as unknown as Kind],
    watches: [watched(Deployment), { ...watched(Pod), read: true }],
    observe: (key, world) => observePodAutoscaler(key, world, { ...options, ages }),
    plan: planPodAutoscaler,
    primaryOf: ({ autoscaler }) => autoscaler,
    forget({ namespace, name }) {
      options.deciders.remove(`${namespace}/${name}`);
      ages.forget(`${namespace}/${name}`);
    },
  };
}
