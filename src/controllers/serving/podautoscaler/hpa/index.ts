// The controller of PodAutoscalers of the HPA class: Kubernetes' autoscaler scales, the PodAutoscaler tells what becomes of it.
import { HorizontalPodAutoscaler, PodAutoscaler, ServerlessService } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import type { PodAutoscalerSettings } from "../observed.ts";
import { observeHpaClass, type ObservedHpaClass } from "./observe.ts";
import { planHpaClass } from "./plan.ts";

/** Keeps a HorizontalPodAutoscaler for the revision's Deployment; the revision is always active and served directly. */
export function hpaClassController(options: { readonly settings: () => PodAutoscalerSettings }): Controller<PodAutoscaler, ObservedHpaClass> {
  return {
    name: "hpa-class-podautoscaler-controller",
    primary: PodAutoscaler,
    owns: [ServerlessService as unknown as Kind, HorizontalPodAutoscaler as unknown as Kind],
    observe: (key, world) => observeHpaClass(key, world, options.settings()),
    plan: planHpaClass,
    primaryOf: ({ autoscaler }) => autoscaler,
  };
}
