// What stands behind a Service that an Ingress names: a revision, endpoints, our own gateway again, or nothing yet.
import type { Reference } from "./ingress-routes.ts";
import type { EndpointFacts, PortFacts, ServiceFacts, SliceFacts } from "./service-facts.ts";

export type Resolution =
  | { readonly is: "revision"; readonly key: string }
  /** Requests come back to this gateway, and are routed by the path's `rewriteHost`. */
  | { readonly is: "gateway" }
  | { readonly is: "service"; readonly endpoints: readonly ServiceEndpoint[]; readonly isH2c: boolean }
  | { readonly is: "missing"; readonly why: string };

export interface ServiceEndpoint extends EndpointFacts {
  readonly port: number;
}

export interface ServicesOptions {
  /** Names of our own gateway's Services. */
  readonly gatewayNames: readonly string[];
  readonly clusterDomain: string;
  readonly isRevision: (key: string) => boolean;
}

/** An ExternalName may stand for a Service that stands for another one. */
const HOPS_MAX = 8;

/** State, no IO. Keys are `namespace/name`. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #services = new Map<string, ServiceFacts>();
  readonly #slices = new Map<string, SliceFacts>();
  readonly #slicesOf = new Map<string, Set<string>>();

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /** False when nothing is new. */
  setService(key: string, facts: ServiceFacts | undefined): boolean {
    if (JSON.stringify(this.#services.get(key)) === JSON.stringify(facts)) return false;
    if (facts === undefined) this.#services.delete(key);
    else this.#services.set(key, facts);
    return true;
  }

  /** The Services whose endpoints are others now. */
  setSlice(key: string, facts: SliceFacts | undefined): string[] {
    const before = this.#slices.get(key);
    if (JSON.stringify(before) === JSON.stringify(facts)) return [];
    if (before !== undefined) this.#slicesOf.get(before.service)?.delete(key);
    if (before !== undefined && this.#slicesOf.get(before.service)?.size === 0) this.#slicesOf.delete(before.service);
    if (facts === undefined) this.#slices.delete(key);
    else {
      this.#slices.set(key, facts);
      const slices = this.#slicesOf.get(facts.service);
      if (slices === undefined) this.#slicesOf.set(facts.service, new Set([key]));
      else slices.add(key);
    }
    return [...new Set([before?.service, facts?.service])].filter((service) => service !== undefined);
  }

  /** `seen` gets the keys of all Services and revisions that the answer depends on. */
  resolve(reference: Reference, seen: Set<string>): Resolution {
    let { service: key, port } = reference;
    for (let hop = 0; hop < HOPS_MAX; hop++) {
      seen.add(key);
      if (this.#options.isRevision(key)) return { is: "revision", key };
      const service = this.#services.get(key);
      if (service === undefined) return { is: "missing", why: `Service "${key}" does not exist` };
      const { externalName } = service;
      if (externalName === undefined) return this.#endpointsOf(key, service, port);
      if (this.#options.gatewayNames.includes(externalName)) return { is: "gateway" };
      const next = this.#serviceNamed(externalName);
      if (next === undefined) return outside(service, externalName, port);
      key = next;
    }
    return { is: "missing", why: `Service "${reference.service}" stands for one that stands for itself` };
  }

  #endpointsOf(key: string, service: ServiceFacts, port: string): Resolution {
    const named = portNamed(service, port);
    if (named === undefined) return { is: "missing", why: `Service "${key}" has no port ${port}` };
    const endpoints: ServiceEndpoint[] = [];
    for (const slice of this.#slicesOf.get(key) ?? []) {
      const facts = this.#slices.get(slice);
      const target = facts?.ports.find(({ name }) => name === named.name);
      if (facts === undefined || target === undefined) continue;
      endpoints.push(...facts.endpoints.map((endpoint) => ({ ...endpoint, port: target.port })));
    }
    if (endpoints.length === 0) return { is: "missing", why: `Service "${key}" has no ready endpoints` };
    return { is: "service", endpoints, isH2c: named.isH2c };
  }

  /** The key of the Service that a name inside the cluster stands for. */
  #serviceNamed(name: string): string | undefined {
    const { clusterDomain } = this.#options;
    const local = name.endsWith(`.svc.${clusterDomain}`) ? name.slice(0, -clusterDomain.length - 1) : name;
    const [service, namespace, svc, ...more] = local.split(".");
    return svc === "svc" && more.length === 0 ? `${namespace ?? ""}/${service ?? ""}` : undefined;
  }
}

function portNamed(service: ServiceFacts, port: string): PortFacts | undefined {
  return service.ports.find((one) => one.name === port || String(one.port) === port);
}

/** A name outside of the cluster, at the port that was asked for. */
function outside(service: ServiceFacts, externalName: string, port: string): Resolution {
  const named = portNamed(service, port);
  const number = named?.port ?? Number(port);
  if (!Number.isInteger(number)) return { is: "missing", why: `the name ${externalName} has no port ${port}` };
  return { is: "service", endpoints: [{ address: externalName, podUid: undefined, port: number }], isH2c: named?.isH2c === true };
}
