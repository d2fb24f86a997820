// Variables that tell a container of the Services of its namespace, by the kubelet's rules.
//
//   REDIS_SERVICE_HOST  REDIS_SERVICE_PORT  REDIS_SERVICE_PORT_<NAME>
//   REDIS_PORT  REDIS_PORT_<PORT>_<PROTOCOL>[_PROTO|_PORT|_ADDR]     as Docker's links once told them
import type { Client } from "#client";
import { CoreService, type Pod } from "#kinds";

/** What of a Service its variables tell. */
export interface LinkedService {
  readonly name: string;
  readonly host: string;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
}

/** A program's environment has an end: of more Services than this, the first by name are told. */
const SERVICES_MAX = 500;
/** Told to every pod, in another way: where the API is, is not the same for all. */
const API = { namespace: "default", name: "kubernetes" };

const variableName = (name: string): string => name.toUpperCase().replaceAll("-", "_");

function variablesOf({ name, host, ports }: LinkedService): readonly (readonly [string, string])[] {
  const prefix = variableName(name);
  const [first] = ports;
  const address = host.includes(":") ? `[${host}]` : host;
  const linked = ports.map(({ name: named = "", port, protocol = "TCP" }) => ({ named, port: String(port), scheme: protocol.toLowerCase(), protocol }));
  return [
    [`${prefix}_SERVICE_HOST`, host],
    ...(first === undefined ? [] : [[`${prefix}_SERVICE_PORT`, String(first.port)] as const]),
    ...linked.flatMap(({ named, port }) => (named === "" ? [] : [[`${prefix}_SERVICE_PORT_${variableName(named)}`, port] as const])),
    ...linked.slice(0, 1).map(({ port, scheme }) => [`${prefix}_PORT`, `${scheme}://${address}:${port}`] as const),
    ...linked.flatMap(({ port, scheme, protocol }) => {
      const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
      return [
        [link, `${scheme}://${address}:${port}`] as const,
        [`${link}_PROTO`, scheme] as const,
        [`${link}_PORT`, port] as const,
        [`${link}_ADDR`, host] as const,
      ];
    }),
  ];
}

export function serviceVariables(services: readonly LinkedService[]): Readonly<Record<string, string>> {
  return Object.fromEntries(services.flatMap(variablesOf));
}

function linkOf({ metadata, spec }: CoreService): readonly LinkedService[] {
  const { clusterIP = "", ports = [] } = spec;
  const isApi = metadata.namespace === API.namespace && metadata.name === API.name;
  return clusterIP === "" || clusterIP === "None" || isApi ? [] : [{ name: metadata.name, host: clusterIP, ports }];
}

/** The variables of the Services that have an address now; none where the pod says that it wants none, as those of revisions do. */
export async function serviceLinks(client: Client, { metadata: { namespace = "" }, spec }: Pod): Promise<Readonly<Record<string, string>>> {
  if (spec.enableServiceLinks === false) return {};
  const { items } = await client.list(CoreService, { namespace, limit: SERVICES_MAX });
  return serviceVariables(items.flatMap(linkOf));
}
