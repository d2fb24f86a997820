// The controller of HorizontalPodAutoscalers, as Kubernetes' kube-controller-manager has one.
import { HorizontalPodAutoscaler } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import type { Memory } from "./memory.ts";
import { observeHorizontal, type ObservedHorizontal } from "./observe.ts";
import { planHorizontal, type Remember } from "./plan.ts";

export interface HorizontalPodAutoscalerOptions {
  /** Kinds with a scale, users' kinds among them. */
  readonly scalable: () => readonly Kind[];
}

/** Looks every fifteen seconds at what the pods of a target use, and never while there is no autoscaler. */
export function horizontalPodAutoscalerController(options: HorizontalPodAutoscalerOptions): Controller<HorizontalPodAutoscaler, ObservedHorizontal, Remember> {
  const memories = new Map<string, Memory>();
  return {
    name: "horizontal-pod-autoscaler",
    primary: HorizontalPodAutoscaler,
    owns: [],
    observe: (key, world) => observeHorizontal(key, world, { ...options, memories }),
    plan: planHorizontal,
    primaryOf: ({ autoscaler }) => autoscaler,
    async runEffect({ key, memory }) {
      memories.set(key, memory);
    },
    forget: ({ namespace, name }) => void memories.delete(`${namespace}/${name}`),
  };
}
