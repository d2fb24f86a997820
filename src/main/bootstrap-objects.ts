// Objects that exist on every platform: made at a start when they are missing, otherwise left as they are.
import type { Client } from "#client";
import {
  ClusterNode,
  ConfigMap,
  CoreService,
  defaultConfigMaps,
  defaultEventingConfigMaps,
  EVENTING_NAMESPACE,
  Namespace,
  SERVICE_RANGE_DEFAULT,
  serviceRange,
  StorageClass,
  SYSTEM_NAMESPACE,
} from "#kinds";
import type { Draft } from "#schema";
import { standardClass } from "#controllers";
import { ensure } from "./cluster-objects.ts";

const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system", EVENTING_NAMESPACE, SYSTEM_NAMESPACE];
/** The first address of the range of Services: where programs look for the API. */
const API_NUMBER = 1;

export interface BootstrapOptions {
  readonly domain: string;
  readonly version: string;
  /** The one node of the embedded platform, status included. */
  readonly node: Draft<ClusterNode>;
  /** Where the API listens; without it, it has no Service. */
  readonly apiPort?: number;
  /** Of Services' addresses, as text. */
  readonly serviceRange?: string;
}

/** The Service that stands for the API in every Kubernetes. */
export function kubernetesService(apiPort: number, range: string = SERVICE_RANGE_DEFAULT): Draft<CoreService> {
  const address = serviceRange(range).at(API_NUMBER);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
    spec: { type: "ClusterIP", clusterIP: address, clusterIPs: [address], ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: apiPort }] },
  };
}

export async function ensureBootstrapObjects(client: Client, options: BootstrapOptions): Promise<void> {
  for (const name of NAMESPACES) await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as Draft<Namespace>);
  for (const map of [...defaultConfigMaps(options), ...defaultEventingConfigMaps(options)]) await ensure(client, ConfigMap, map as Draft<ConfigMap>);
  if (options.apiPort !== undefined) await ensure(client, CoreService, kubernetesService(options.apiPort, options.serviceRange));
  await ensure(client, StorageClass, standardClass());
  await ensure(client, ClusterNode, options.node);
  const current = await client.get(ClusterNode, "", options.node.metadata.name ?? "");
  await client.updateStatus(ClusterNode, { ...current, ...(options.node.status === undefined ? {} : { status: options.node.status }) });
}
