// EndpointSlices: of the pods that a Service selects, or mirrored from Endpoints that somebody else made.
import type { InformerSet } from "#client";
import { CoreService, Endpoints, EndpointSlice } from "#kinds";
import type { Controller } from "#reconcile";
import { servicePods } from "../service-pods.ts";
import { observeMirror, observeSlices, type ObservedMirror, type ObservedSlices } from "./observe.ts";
import { planMirror, planSlices } from "./plan.ts";

/** Slices of Services with a selector, owned by the Service: one for each distinct set of ports. */
export function endpointSliceController(options: { readonly informers: InformerSet }): Controller<CoreService, ObservedSlices> {
  const pods = servicePods(options.informers);
  return {
    name: "endpoint-slice-controller",
    primary: CoreService,
    owns: [EndpointSlice],
    watches: [pods.watch],
    observe: (key, world) => observeSlices(key, world, pods),
    plan: planSlices,
    primaryOf: ({ service }) => service,
  };
}

/** Slices of Endpoints whose Service has no selector, owned by the Endpoints. */
export function endpointSliceMirroringController(): Controller<Endpoints, ObservedMirror> {
  return {
    name: "endpoint-slice-mirroring-controller",
    primary: Endpoints,
    owns: [EndpointSlice],
    watches: [{ kind: CoreService, keys: ({ metadata }) => [{ namespace: metadata.namespace ?? "", name: metadata.name }] }],
    observe: observeMirror,
    plan: planMirror,
    primaryOf: ({ endpoints }) => endpoints,
  };
}
