// Who owns a host: of several Ingresses the oldest one.
import type { RouteHost } from "#protocol";

export interface Claim {
  readonly ingress: string;
  /** creationTimestamp, then key: the smaller one is older. */
  readonly age: string;
  readonly route: RouteHost;
}

export class HostClaims {
  readonly #claims = new Map<string, Claim[]>();

  set(ingress: string, created: string, route: RouteHost): void {
    const others = (this.#claims.get(route.host) ?? []).filter((claim) => claim.ingress !== ingress);
    const claims = [...others, { ingress, age: `${created} ${ingress}`, route }];
    claims.sort((a, b) => (a.age < b.age ? -1 : 1));
    this.#claims.set(route.host, claims);
  }

  remove(ingress: string, host: string): void {
    const others = (this.#claims.get(host) ?? []).filter((claim) => claim.ingress !== ingress);
    if (others.length === 0) this.#claims.delete(host);
    else this.#claims.set(host, others);
  }

  /** Keys of all Ingresses that claim it, the oldest first. */
  claimants(host: string): string[] {
    return (this.#claims.get(host) ?? []).map(({ ingress }) => ingress);
  }

  owner(host: string): Claim | undefined {
    return this.#claims.get(host)?.[0];
  }
}
