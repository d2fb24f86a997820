// The Services under which the gateway is found inside: names, ports, and where they lead.
import type { Client } from "#client";
import { BROKER_INGRESS, CHANNEL_DISPATCHER, PRIVATE_GATEWAY, PUBLIC_GATEWAY } from "#controllers";
import { CoreService, Endpoints, Namespace } from "#kinds";
import type { Draft } from "#schema";
import { ensure } from "./cluster-objects.ts";

export interface GatewayPorts {
  /** Numeric IP address on which the public port is reached from this machine. */
  readonly address: string;
  readonly httpPort: number;
  readonly internalPort: number;
}

/** Ports that Kubernetes gives to nodes: a gateway on one of them is reached as a Service of type NodePort. */
const NODE_PORTS = { first: 30_000, last: 32_767 } as const;

/** A Service without selector, and the Endpoints that are written for it. */
interface GatewayService {
  readonly service: Draft<CoreService>;
  readonly endpoints: Draft<Endpoints>;
}

/** `name` is a whole name in the cluster: `<service>.<namespace>.svc.<cluster domain>`. */
function gatewayService(name: string, at: { readonly address: string; readonly port: number; readonly isPublic: boolean }): GatewayService {
  const [service = "", namespace = ""] = name.split(".");
  const isNodePort = at.isPublic && at.port >= NODE_PORTS.first && at.port <= NODE_PORTS.last;
  const port = { name: "http2", port: 80, protocol: "TCP" };
  const metadata = { name: service, namespace };
  return {
    service: {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { type: isNodePort ? "NodePort" : "ClusterIP", ports: [{ ...port, targetPort: at.port, ...(isNodePort ? { nodePort: at.port } : {}) }] },
    },
    endpoints: {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: [{ addresses: [{ ip: at.address }], ports: [{ name: port.name, port: at.port, protocol: port.protocol }] }],
    },
  };
}

export function gatewayServices({ address, httpPort, internalPort }: GatewayPorts): GatewayService[] {
  return [
    gatewayService(PUBLIC_GATEWAY, { address, port: httpPort, isPublic: true }),
    gatewayService(PRIVATE_GATEWAY, { address: "127.0.0.1", port: internalPort, isPublic: false }),
  ];
}

/** They lead to where the gateway listens now, which may be another port than at the last start. */
export async function ensureGatewayServices(client: Client, ports: GatewayPorts): Promise<void> {
  for (const { service, endpoints } of gatewayServices(ports)) {
    const { name = "", namespace = "" } = service.metadata;
    await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>);
    const current = await client.find(CoreService, namespace, name);
    if (current === undefined) await client.create(CoreService, service);
    else await client.update(CoreService, { ...current, spec: { ...current.spec, ...service.spec } });
    const written = await client.find(Endpoints, namespace, name);
    if (written === undefined) await client.create(Endpoints, endpoints);
    else await client.update(Endpoints, { ...written, ...endpoints, metadata: written.metadata });
  }
  for (const name of EVENT_NAMES) await ensureEventName(client, name);
}

/** Under which Brokers and channels are reached: the gateway knows by `Host` that they are the events thread's. */
const EVENT_NAMES = [BROKER_INGRESS, CHANNEL_DISPATCHER];

/** They are names of Services that stand for the gateway, as Knative Services' names do: pods find them by the resolver. */
async function ensureEventName(client: Client, whole: string): Promise<void> {
  const [name = "", namespace = ""] = whole.split(".");
  await ensure(client, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>);
  const spec = { type: "ExternalName", externalName: PRIVATE_GATEWAY, sessionAffinity: "None", ports: [{ name: "http2", port: 80, protocol: "TCP" }] };
  await ensure(client, CoreService, { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec } as Draft<CoreService>);
}
