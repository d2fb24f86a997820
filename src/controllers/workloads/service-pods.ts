// Which pods stand behind which Service: the little that is remembered of both, and what one pod offers a Service.
import { keyOf, type Informer, type InformerSet } from "#client";
import { CoreService, hasEnded, Pod, type ServicePort } from "#kinds";
import type { Watched } from "#reconcile";
import type { ObjectKey } from "#schema";
import { matchesPairs } from "./label-selector.ts";
import { readySinceMs } from "./pod-state.ts";

/** The runtime's record of where container ports are reachable: a JSON object, containerPort → "host:port". */
const ADDRESSES = "eider.dev/addresses";

/** What is remembered of a pod that has somewhere to be reached. */
export interface BackingPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly podIP?: string;
  readonly nodeName?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly addresses?: string;
  readonly namedPorts: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** Undefined for pods that have ended. */
export function keepBackingPod(pod: Pod): BackingPod | undefined {
  if (hasEnded(pod)) return undefined;
  const { podIP } = pod.status ?? {};
  const { nodeName } = pod.spec ?? {};
  const addresses = pod.metadata.annotations?.[ADDRESSES];
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return {
    namespace: pod.metadata.namespace ?? "",
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    labels: pod.metadata.labels ?? {},
    ...(podIP === undefined || podIP === "" ? {} : { podIP }),
    ...(nodeName === undefined || nodeName === "" ? {} : { nodeName }),
    ready: readySinceMs(pod) !== undefined,
    terminating: pod.metadata.deletionTimestamp !== undefined,
    ...(addresses === undefined ? {} : { addresses }),
    namedPorts: ports.flatMap(({ name, protocol = "TCP", containerPort }) => (name === undefined ? [] : [{ name, protocol, port: containerPort }])),
  };
}

interface ServiceRow {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

function keepService(service: CoreService): ServiceRow | undefined {
  const { selector } = service.spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0) return undefined;
  return { namespace: service.metadata.namespace ?? "", name: service.metadata.name, selector };
}

/** One pair of a selector is enough to look its Service up; the whole selector is compared afterwards. */
function pairKey(namespace: string, key: string, value: string): string {
  return `${namespace}/${key}=${value}`;
}

export interface ServicePods {
  /** Pods that the Service selects, by name. */
  podsOf(service: CoreService): readonly BackingPod[];
  /** Wakes the Services that a pod belongs or belonged to. */
  readonly watch: Watched<Pod>;
}

/** Shared by the controllers of Endpoints and EndpointSlices: the informer set remembers each row once. */
export function servicePods(informers: InformerSet): ServicePods {
  const pods: Informer<BackingPod> = informers.of(Pod, "backing", keepBackingPod);
  const services: Informer<ServiceRow> = informers.of(CoreService, "selector", keepService);
  pods.addIndex("label", (pod) => Object.entries(pod.labels).map(([key, value]) => pairKey(pod.namespace, key, value)));
  services.addIndex("pair", (service) => {
    const [pair] = Object.entries(service.selector);
    return pair === undefined ? [] : [pairKey(service.namespace, pair[0], pair[1])];
  });
  return {
    podsOf(service) {
      const selector = service.spec?.selector ?? {};
      const [pair] = Object.entries(selector);
      if (pair === undefined) return [];
      const candidates = pods.byIndex("label", pairKey(service.metadata.namespace ?? "", pair[0], pair[1]));
      return candidates.filter((pod) => matchesPairs(selector, pod.labels)).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    watch: {
      kind: Pod,
      keep({ apiVersion, kind, metadata: { namespace, name, labels } }) {
        const metadata = {
          name,
          uid: "",
          resourceVersion: "",
          creationTimestamp: "",
          ...(namespace === undefined ? {} : { namespace }),
          ...(labels === undefined ? {} : { labels }),
        };
        return { apiVersion, kind, metadata, spec: { containers: [] } };
      },
      keys(pod) {
        const namespace = pod.metadata.namespace ?? "";
        const labels = pod.metadata.labels ?? {};
        const keys = new Map<string, ObjectKey>();
        for (const [key, value] of Object.entries(labels)) {
          for (const service of services.byIndex("pair", pairKey(namespace, key, value))) {
            if (matchesPairs(service.selector, labels)) keys.set(keyOf(namespace, service.name), { namespace, name: service.name });
          }
        }
        return [...keys.values()];
      },
    },
  };
}

export interface ReachablePort {
  readonly name?: string;
  readonly protocol: string;
  readonly port: number;
  readonly appProtocol?: string;
}

/** Where a pod answers for a Service: one host and the ports behind it. */
export interface Reachable {
  readonly pod: BackingPod;
  readonly host: string;
  readonly ports: readonly ReachablePort[];
}

function recordedAddresses(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function containerPortOf(pod: BackingPod, { port, targetPort, protocol = "TCP" }: ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0) return port;
  if (typeof targetPort === "number") return targetPort;
  return pod.namedPorts.find((named) => named.name === targetPort && named.protocol === protocol)?.port;
}

/**
 * Groups the Service's ports by host. Ports that the pod does not have are left out, also those without a record when
 * the runtime recorded others; a Service without ports (headless) gets the pod's IP alone.
 */
export function reachableFor(pod: BackingPod, ports: readonly ServicePort[]): readonly Reachable[] {
  if (ports.length === 0) return pod.podIP === undefined ? [] : [{ pod, host: pod.podIP, ports: [] }];
  const recorded = recordedAddresses(pod.addresses);
  const byHost = new Map<string, ReachablePort[]>();
  for (const servicePort of ports) {
    const containerPort = containerPortOf(pod, servicePort);
    if (containerPort === undefined) continue;
    const address = recorded === undefined ? { host: pod.podIP, port: containerPort } : parseAddress(recorded[String(containerPort)]);
    if (address?.host === undefined) continue;
    const { name, protocol = "TCP", appProtocol } = servicePort;
    const reachable = { ...(name === undefined ? {} : { name }), protocol, port: address.port, ...(appProtocol === undefined ? {} : { appProtocol }) };
    byHost.set(address.host, [...(byHost.get(address.host) ?? []), reachable]);
  }
  return [...byHost].map(([host, reachablePorts]) => ({ pod, host, ports: reachablePorts }));
}

function parseAddress(text: unknown): { readonly host: string; readonly port: number } | undefined {
  const match = typeof text === "string" ? /^\[?(.+?)\]?:(\d+)$/.exec(text) : null;
  return match?.[1] === undefined ? undefined : { host: match[1], port: Number(match[2]) };
}

/** Reachables with the same ports together, in a stable order; the key is the JSON of the ports. */
export function groupedByPorts(reachables: readonly Reachable[]): ReadonlyMap<string, readonly Reachable[]> {
  const groups = new Map<string, Reachable[]>();
  for (const reachable of reachables) {
    const key = JSON.stringify(reachable.ports);
    groups.set(key, [...(groups.get(key) ?? []), reachable]);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}
