// Objects that exist on every platform: made at a start when they are missing, otherwise left as they are.
import type { Client } from "#client";
import { ClusterNode, ConfigMap, defaultConfigMaps, Namespace, SYSTEM_NAMESPACE } from "#kinds";
import type { Draft } from "#schema";
import { ensure } from "./cluster-objects.ts";

const NAMESPACES = ["default", "kube-system", "kube-public", SYSTEM_NAMESPACE];

export interface BootstrapOptions {
  readonly domain: string;
  readonly version: string;
  /** The one node of the embedded platform, status included. */
  readonly node: Draft<ClusterNode>;
}

export async function ensureBootstrapObjects(client: Client, options: BootstrapOptions): Promise<void> {
  for (const name of NAMESPACES) await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as Draft<Namespace>);
  for (const map of defaultConfigMaps(options)) await ensure(client, ConfigMap, map as Draft<ConfigMap>);
  await ensure(client, ClusterNode, options.node);
  const current = await client.get(ClusterNode, "", options.node.metadata.name ?? "");
  await client.updateStatus(ClusterNode, { ...current, ...(options.node.status === undefined ? {} : { status: options.node.status }) });
}
