// Decides the Endpoints of a Service: subsets of addresses that share their ports.
import { Endpoints, type EndpointAddress, type EndpointSubset } from "#kinds";
import type { Child, Plan } from "#reconcile";
import { groupedByPorts, reachableFor, type Reachable } from "../service-pods.ts";
import type { ObservedEndpoints } from "./observe.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const CONTROLLER = "endpoint-controller";
const HEADLESS = "service.kubernetes.io/headless";

export interface EndpointsEffect {
  readonly do: "delete";
  readonly endpoints: Endpoints;
}

function addressFor({ host, pod }: Reachable): EndpointAddress {
  return {
    ip: host,
    ...(pod.nodeName === undefined ? {} : { nodeName: pod.nodeName }),
    targetRef: { kind: "Pod", namespace: pod.namespace, name: pod.name, uid: pod.uid },
  };
}

function subsetFor(reachables: readonly Reachable[], publishNotReady: boolean): EndpointSubset {
  const addresses = reachables.filter(({ pod }) => pod.ready || publishNotReady).map(addressFor);
  const notReadyAddresses = reachables.filter(({ pod }) => !pod.ready && !publishNotReady).map(addressFor);
  const ports = (reachables[0]?.ports ?? []).map(({ name, port, protocol, appProtocol }) => ({
    ...(name === undefined ? {} : { name }),
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

/** A Service without a selector keeps whatever Endpoints somebody else has made. */
export function planEndpoints({ service, pods, endpoints }: ObservedEndpoints): Plan<EndpointsEffect> {
  if (service.metadata.uid === "") {
    const ours = endpoints?.metadata.labels?.[MANAGED_BY] === CONTROLLER;
    return { desired: undefined, effects: ours ? [{ do: "delete", endpoints }] : [] };
  }
  const { selector, ports = [], publishNotReadyAddresses = false, clusterIP, type } = service.spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0 || type === "ExternalName" || service.metadata.deletionTimestamp !== undefined)
    return { desired: undefined };
  const reachables = pods.filter((pod) => !pod.terminating).flatMap((pod) => reachableFor(pod, ports));
  const subsets = [...groupedByPorts(reachables).values()].map((group) => subsetFor(group, publishNotReadyAddresses));
  const { name, namespace = "", labels } = service.metadata;
  const child: Child<Endpoints> = {
    kind: Endpoints,
    unowned: true,
    object: {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, labels: { ...labels, ...(clusterIP === "None" ? { [HEADLESS]: "" } : {}), [MANAGED_BY]: CONTROLLER } },
      ...(subsets.length === 0 ? {} : { subsets }),
    },
    merge(current, wanted) {
      const { subsets: _old, ...rest } = current;
      const { labels: wantedLabels = {} } = wanted.metadata;
      return { ...rest, metadata: { ...current.metadata, labels: wantedLabels }, ...(wanted.subsets === undefined ? {} : { subsets: wanted.subsets }) };
    },
  };
  return { desired: [child] };
}
