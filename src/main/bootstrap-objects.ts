// Objects that exist on every platform: made at a start when they are missing, otherwise left as they are.
import type { Client } from "#client";
import { isReason } from "#core";
import { ClusterNode, ConfigMap, defaultConfigMaps, Namespace, SYSTEM_NAMESPACE } from "#kinds";
import type { Draft, Kind, KubeObject } from "#schema";

const NAMESPACES = ["default", "kube-system", "kube-public", SYSTEM_NAMESPACE];

export async function ensureBootstrapObjects(client: Client, options: { readonly domain: string; readonly nodeName: string; readonly node: Draft<ClusterNode> }): Promise<void> {
  for (const name of NAMESPACES) await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as Draft<Namespace>);
  for (const map of defaultConfigMaps()) {
    const data = map.metadata.name === "config-domain" ? { ...map.data, [options.domain]: "" } : map.data;
    await ensure(client, ConfigMap, { ...map, data } as Draft<ConfigMap>);
  }
  await ensure(client, ClusterNode, options.node);
  await client.updateStatus(ClusterNode, { ...(await client.get(ClusterNode, "", options.nodeName)), status: (options.node as ClusterNode).status } as ClusterNode);
}

async function ensure<O extends KubeObject>(client: Client, kind: Kind<O>, object: Draft<O>): Promise<void> {
  if ((await client.find(kind, object.metadata.namespace ?? "", object.metadata.name ?? "")) !== undefined) return;
  await client.create(kind, object).catch((error: unknown) => {
    if (!isReason(error, "AlreadyExists")) throw error;
  });
}
