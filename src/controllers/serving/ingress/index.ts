// The controller of Ingresses of class `eider.ingress.networking.knative.dev`; it watches nothing else.
import { Ingress } from "#kinds";
import type { Controller } from "#reconcile";
import { observeIngress, type IngressControllerDeps } from "./observe.ts";
import { planIngress, type ObservedIngress } from "./plan.ts";

export type { IngressControllerDeps } from "./observe.ts";
export { PRIVATE_GATEWAY, PUBLIC_GATEWAY, type IngressStanding } from "./plan.ts";

/** Tells that an Ingress is ready once all gateways route by it; the running controller is requeued when they do. */
export function ingressController(deps: IngressControllerDeps): Controller<Ingress, ObservedIngress> {
  return {
    name: "ingress-controller",
    primary: Ingress,
    owns: [],
    observe: (key, world) => observeIngress(key, world, deps),
    plan: planIngress,
    primaryOf: ({ ingress }) => ingress,
  };
}
