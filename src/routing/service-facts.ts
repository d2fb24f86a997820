// What routing remembers of Services and of their endpoints.
import { networking, type CoreService, type EndpointSlice } from "#kinds";

export interface PortFacts {
  /** "" when the port has no name. */
  readonly name: string;
  readonly port: number;
  /** The application speaks HTTP/2 without TLS there. */
  readonly isH2c: boolean;
}

export interface ServiceFacts {
  readonly ports: readonly PortFacts[];
  /** Of type ExternalName: the name it stands for, lower case, without a dot at its end. */
  readonly externalName: string | undefined;
}

export interface EndpointFacts {
  readonly address: string;
  /** The pod behind it; undefined for addresses that somebody wrote down. */
  readonly podUid: string | undefined;
}

/** A slice's ready endpoints. */
export interface SliceFacts {
  /** Key of its Service. */
  readonly service: string;
  readonly ports: readonly PortFacts[];
  readonly endpoints: readonly EndpointFacts[];
}

const SERVICE_NAME = "kubernetes.io/service-name";

type Named = { readonly name?: string; readonly port?: number; readonly appProtocol?: string };

function portFacts({ name = "", port = 0, appProtocol }: Named): PortFacts {
  return { name, port, isH2c: appProtocol === "kubernetes.io/h2c" || name === "h2c" || name === "http2" };
}

/** Whether a Service, or a slice of it, was made for a revision: the revision stands behind it, whatever its endpoints say. */
export function isOfRevision({ metadata }: CoreService | EndpointSlice): boolean {
  return metadata.labels?.[networking.serverlessService] !== undefined;
}

export function serviceFacts({ spec }: CoreService): ServiceFacts {
  const external = spec?.type === "ExternalName" ? (spec.externalName ?? "").toLowerCase() : undefined;
  return { ports: (spec?.ports ?? []).map(portFacts), externalName: external?.endsWith(".") === true ? external.slice(0, -1) : external };
}

/** Undefined for slices of no Service. */
export function sliceFacts({ metadata, ports, endpoints }: EndpointSlice): SliceFacts | undefined {
  const service = metadata.labels?.[SERVICE_NAME];
  if (service === undefined) return undefined;
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return {
    service: `${metadata.namespace ?? ""}/${service}`,
    ports: (ports ?? []).map(portFacts),
    endpoints: ready.flatMap(({ addresses, targetRef }) => {
      const podUid = targetRef?.kind === "Pod" ? targetRef.uid : undefined;
      // The addresses of one endpoint are the same thing by other names.
      return addresses.slice(0, 1).map((address) => ({ address, podUid }));
    }),
  };
}
