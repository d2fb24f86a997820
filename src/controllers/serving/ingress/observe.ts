// What the plan of an Ingress knows: the Ingress, and whether the gateways have taken it in.
import { Ingress } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import type { IngressStanding, ObservedIngress } from "./plan.ts";

export interface IngressControllerDeps {
  /** How this generation of the Ingress stands with the gateways. Its changes are told by `requeue`. */
  readonly ingressState: (ingress: Ingress) => IngressStanding;
}

export async function observeIngress(key: ObjectKey, world: World, deps: IngressControllerDeps): Promise<ObservedIngress | undefined> {
  const ingress = await world.client.find(Ingress, key.namespace, key.name);
  return ingress === undefined ? undefined : { ingress, standing: deps.ingressState(ingress) };
}
