// Decides EndpointSlices: groups endpoints by ports and reuses the slices that exist.
import { EndpointSlice, type Endpoint, type EndpointAddress, type EndpointPort, type Endpoints, type EndpointSubset } from "#kinds";
import type { Child, Plan } from "#reconcile";
import { equal } from "#schema";
import { groupedByPorts, reachableFor, type Reachable } from "../service-pods.ts";
import type { ObservedMirror, ObservedSlices } from "./observe.ts";

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const SERVICE_NAME = "kubernetes.io/service-name";
const SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";
const HEADLESS = "service.kubernetes.io/headless";
/** Endpoints of one slice, as Kubernetes' default. */
const ENDPOINTS_MAX = 100;

interface Content {
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

interface Frame {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function familyOf(ip: string): string {
  return ip.includes(":") ? "IPv6" : "IPv4";
}

function chunked<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / ENDPOINTS_MAX) }, (_, at) => items.slice(at * ENDPOINTS_MAX, (at + 1) * ENDPOINTS_MAX));
}

/** Each content takes the existing slice that is most like it; a new one gets its name from the server. */
function childrenFor(contents: readonly Content[], slices: readonly EndpointSlice[], frame: Frame): readonly Child<EndpointSlice>[] {
  const free = slices.filter((slice) => slice.metadata.deletionTimestamp === undefined);
  const take = (like: (slice: EndpointSlice) => boolean): EndpointSlice | undefined => {
    const at = free.findIndex(like);
    return at < 0 ? undefined : free.splice(at, 1)[0];
  };
  const matched = contents.map((content) => ({
    content,
    slice: take((slice) => slice.addressType === content.addressType && equal(slice.ports ?? [], content.ports)),
  }));
  return matched.map(({ content, slice: same }) => {
    // The type of addresses of a slice cannot change.
    const slice = same ?? take(({ addressType }) => addressType === content.addressType);
    return childFor(content, slice, frame);
  });
}

function childFor(content: Content, slice: EndpointSlice | undefined, { name, namespace, labels, annotations }: Frame): Child<EndpointSlice> {
  // Go's empty lists: Kubernetes' own slices without endpoints have null here.
  const orNull = <T>(items: readonly T[]): T[] | null => (items.length === 0 ? null : [...items]);
  const body = { addressType: content.addressType, endpoints: orNull(content.endpoints), ports: orNull(content.ports) };
  const names = slice === undefined ? { generateName: `${name}-` } : { name: slice.metadata.name };
  return {
    kind: EndpointSlice,
    object: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...names, namespace, labels: { ...labels }, ...(annotations === undefined ? {} : { annotations: { ...annotations } }) },
      ...body,
    },
    merge(current, wanted) {
      const { annotations: wantedAnnotations } = wanted.metadata;
      const kept = wantedAnnotations === undefined ? {} : { annotations: wantedAnnotations };
      // A server may keep null as an empty list or as nothing.
      const same = equal([current.endpoints ?? [], current.ports ?? []], [content.endpoints, content.ports]);
      return { ...current, ...(same ? {} : body), metadata: { ...current.metadata, ...kept, labels: { ...wanted.metadata.labels } } };
    },
  };
}

function endpointFor({ host, pod }: Reachable, publishNotReady: boolean): Endpoint {
  return {
    addresses: [host],
    conditions: { ready: publishNotReady || (pod.ready && !pod.terminating), serving: pod.ready, terminating: pod.terminating },
    ...(pod.nodeName === undefined ? {} : { nodeName: pod.nodeName }),
    targetRef: { kind: "Pod", namespace: pod.namespace, name: pod.name, uid: pod.uid },
  };
}

/** Without any endpoint one empty slice stays, as in Kubernetes. */
export function planSlices({ service, pods, slices }: ObservedSlices): Plan {
  const { selector, ports = [], publishNotReadyAddresses = false, clusterIP, type } = service.spec ?? {};
  if (service.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  if (selector === undefined || Object.keys(selector).length === 0 || type === "ExternalName") return { desired: [] };
  const reachables = pods.flatMap((pod) => reachableFor(pod, ports));
  const contents = ["IPv4", "IPv6"].flatMap((addressType) => {
    const family = reachables.filter(({ host }) => familyOf(host) === addressType);
    return [...groupedByPorts(family).values()].flatMap((group) =>
      chunked(group).map((part): Content => ({
        addressType,
        ports: part[0]?.ports ?? [],
        endpoints: part.map((one) => endpointFor(one, publishNotReadyAddresses)),
      })),
    );
  });
  const { name, namespace = "", labels } = service.metadata;
  const frame = {
    name,
    namespace,
    labels: { ...labels, [MANAGED_BY]: "endpointslice-controller.k8s.io", [SERVICE_NAME]: name, ...(clusterIP === "None" ? { [HEADLESS]: "" } : {}) },
  };
  return { desired: childrenFor(contents.length === 0 ? [{ addressType: "IPv4", ports: [], endpoints: [] }] : contents, slices, frame) };
}

function mirroredEndpoint(address: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [address.ip],
    conditions: { ready },
    ...(address.hostname === undefined ? {} : { hostname: address.hostname }),
    ...(address.nodeName === undefined ? {} : { nodeName: address.nodeName }),
    ...(address.targetRef === undefined ? {} : { targetRef: address.targetRef }),
  };
}

function mirroredContents({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): readonly Content[] {
  return ["IPv4", "IPv6"].flatMap((addressType) => {
    const inFamily = ({ ip }: EndpointAddress): boolean => familyOf(ip) === addressType;
    const endpoints = [
      ...addresses.filter(inFamily).map((one) => mirroredEndpoint(one, true)),
      ...notReadyAddresses.filter(inFamily).map((one) => mirroredEndpoint(one, false)),
    ];
    return chunked(endpoints).map((part) => ({ addressType, ports, endpoints: part }));
  });
}

function isMirrored(endpoints: Endpoints): boolean {
  const { labels, annotations } = endpoints.metadata;
  const managed = labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller";
  return !managed && labels?.[SKIP_MIRROR] !== "true" && annotations?.["control-plane.alpha.kubernetes.io/leader"] === undefined;
}

/** Labels and annotations of the Endpoints come along. */
export function planMirror({ endpoints, service, slices }: ObservedMirror): Plan {
  const selects = Object.keys(service?.spec?.selector ?? {}).length > 0;
  if (endpoints.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  if (service === undefined || selects || !isMirrored(endpoints)) return { desired: [] };
  const { name, namespace = "", labels, annotations } = endpoints.metadata;
  const {
    ["kubectl.kubernetes.io/last-applied-configuration"]: _applied,
    ["endpoints.kubernetes.io/last-change-trigger-time"]: _trigger,
    ...copied
  } = annotations ?? {};
  const frame = {
    name,
    namespace,
    labels: { ...labels, [MANAGED_BY]: "endpointslicemirroring-controller.k8s.io", [SERVICE_NAME]: name },
    ...(Object.keys(copied).length === 0 ? {} : { annotations: copied }),
  };
  return { desired: childrenFor((endpoints.subsets ?? []).flatMap(mirroredContents), slices, frame) };
}
