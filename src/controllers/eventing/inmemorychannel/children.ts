// Child of an InMemoryChannel: the name under which it is reached (eventing.md 1.8).
import { channelServiceName, CLUSTER_DOMAIN, CoreService, EVENTING_NAMESPACE, messaging, type InMemoryChannel } from "#kinds";
import type { Child } from "#reconcile";

/** The name under which all channels are reached, by path. */
export const CHANNEL_DISPATCHER = `imc-dispatcher.${EVENTING_NAMESPACE}.svc.${CLUSTER_DOMAIN}`;

export function channelServiceFor({ metadata: { name, namespace = "" } }: InMemoryChannel): Child {
  return {
    kind: CoreService,
    object: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: channelServiceName(name), namespace, labels: { [messaging.role]: messaging.channelRole } },
      spec: { type: "ExternalName", externalName: CHANNEL_DISPATCHER, ports: [{ name: "http", protocol: "TCP", port: 80 }] },
    } as Child["object"],
  };
}

export function channelUrl({ metadata: { name, namespace = "" } }: InMemoryChannel): string {
  return `http://${channelServiceName(name)}.${namespace}.svc.${CLUSTER_DOMAIN}`;
}
