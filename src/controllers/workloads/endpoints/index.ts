// Endpoints of Services with a selector, as Kubernetes' endpoint controller keeps them.
import type { InformerSet } from "#client";
import { CoreService, Endpoints } from "#kinds";
import type { Controller } from "#reconcile";
import { servicePods } from "../service-pods.ts";
import { observeEndpoints, type ObservedEndpoints } from "./observe.ts";
import { planEndpoints, type EndpointsEffect } from "./plan.ts";

/** Endpoints have the name of their Service and no owner reference: this controller deletes them itself. */
export function endpointsController(options: { readonly informers: InformerSet }): Controller<CoreService, ObservedEndpoints, EndpointsEffect> {
  const pods = servicePods(options.informers);
  return {
    name: "endpoint-controller",
    primary: CoreService,
    owns: [],
    watches: [pods.watch, { kind: Endpoints, keys: ({ metadata }) => [{ namespace: metadata.namespace ?? "", name: metadata.name }] }],
    observe: (key, world) => observeEndpoints(key, world, pods),
    plan: planEndpoints,
    primaryOf: ({ service }) => service,
    async runEffect({ endpoints }, world) {
      const { name, namespace = "", uid } = endpoints.metadata;
      await world.client.delete(Endpoints, { namespace, name }, { preconditions: { uid } });
    },
  };
}
