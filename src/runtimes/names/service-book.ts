// Services and their endpoints as names and doors need them. State, no IO. Keys are `namespace/name`.
import { networking, type CoreService, type EndpointSlice } from "#kinds";

export interface NamedPort {
  /** "" when the port has no name. */
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

export interface ServiceFacts {
  /** Undefined for headless Services and for those that stand for another name. */
  readonly address: string | undefined;
  /** Of type ExternalName: lower case, without a dot at its end. */
  readonly externalName: string | undefined;
  readonly ports: readonly NamedPort[];
  /** Made for a revision: there are many of these, and nobody knows them but by name. */
  readonly isOfRevision: boolean;
}

export interface EndpointFacts {
  readonly address: string;
  /** By this name below the Service's, where a pod says so. */
  readonly hostname: string | undefined;
  /** Those of its slice. */
  readonly ports: readonly NamedPort[];
}

interface SliceFacts {
  readonly service: string;
  readonly endpoints: readonly EndpointFacts[];
}

const SERVICE_NAME = "kubernetes.io/service-name";

export class ServiceBook {
  readonly #services = new Map<string, ServiceFacts>();
  readonly #slices = new Map<string, SliceFacts>();
  readonly #slicesOf = new Map<string, Set<string>>();

  setService(key: string, service: CoreService | undefined): void {
    if (service === undefined) this.#services.delete(key);
    else this.#services.set(key, serviceFacts(service));
  }

  setSlice(key: string, slice: EndpointSlice | undefined): void {
    const before = this.#slices.get(key);
    if (before !== undefined) {
      const keys = this.#slicesOf.get(before.service);
      keys?.delete(key);
      if (keys?.size === 0) this.#slicesOf.delete(before.service);
      this.#slices.delete(key);
    }
    const facts = slice === undefined ? undefined : sliceFacts(slice);
    if (facts === undefined) return;
    this.#slices.set(key, facts);
    const keys = this.#slicesOf.get(facts.service);
    if (keys === undefined) this.#slicesOf.set(facts.service, new Set([key]));
    else keys.add(key);
  }

  service(key: string): ServiceFacts | undefined {
    return this.#services.get(key);
  }

  hasNamespace(namespace: string): boolean {
    return [...this.#services.keys()].some((key) => key.startsWith(`${namespace}/`));
  }

  /** Key of the Service that has the address. */
  keyOf(address: string): string | undefined {
    return [...this.#services].find(([, service]) => service.address === address)?.[0];
  }

  keys(): Iterable<string> {
    return this.#services.keys();
  }

  /** Ready ones. */
  endpoints(key: string): readonly EndpointFacts[] {
    return [...(this.#slicesOf.get(key) ?? [])].flatMap((slice) => this.#slices.get(slice)?.endpoints ?? []);
  }

  /** Where connections to a port of a Service go. */
  targets(key: string, name: string): readonly { readonly host: string; readonly port: number }[] {
    return this.endpoints(key).flatMap(({ address, ports }) => ports.filter((each) => each.name === name).map(({ port }) => ({ host: address, port })));
  }
}

function serviceFacts({ metadata, spec }: CoreService): ServiceFacts {
  const address = spec.clusterIP === undefined || spec.clusterIP === "" || spec.clusterIP === "None" ? undefined : spec.clusterIP;
  const externalName = spec.type === "ExternalName" ? (spec.externalName ?? "").toLowerCase().replace(/\.$/, "") : undefined;
  return { address, externalName, ports: (spec.ports ?? []).map(portFacts), isOfRevision: metadata.labels?.[networking.serverlessService] !== undefined };
}

/** Undefined for slices of no Service. */
function sliceFacts({ metadata, ports, endpoints }: EndpointSlice): SliceFacts | undefined {
  const service = metadata.labels?.[SERVICE_NAME];
  if (service === undefined) return undefined;
  const named = (ports ?? []).map(portFacts);
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return {
    service: `${metadata.namespace ?? ""}/${service}`,
    endpoints: ready.flatMap(({ addresses, hostname }) => addresses.slice(0, 1).map((address) => ({ address, hostname: hostname || undefined, ports: named }))),
  };
}

function portFacts({ name = "", port = 0, protocol = "TCP" }: { readonly name?: string; readonly port?: number; readonly protocol?: string }): NamedPort {
  return { name, port, protocol };
}
