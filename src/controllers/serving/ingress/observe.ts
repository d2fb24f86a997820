// What the plan of an Ingress knows: the Ingress, and whether the gateways have taken it in.
import { Ingress } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import type { ObservedIngress } from "./plan.ts";

export interface IngressControllerDeps {
  /** Whether every gateway has acknowledged the routes of this generation of the Ingress. Its changes are told by `requeue`. */
  readonly routesInForce: (ingress: Ingress) => boolean;
}

export async function observeIngress(key: ObjectKey, world: World, deps: IngressControllerDeps): Promise<ObservedIngress | undefined> {
  const ingress = await world.client.find(Ingress, key.namespace, key.name);
  return ingress === undefined ? undefined : { ingress, isInForce: deps.routesInForce(ingress) };
}
