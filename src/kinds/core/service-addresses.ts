// Cluster IPs of Services: drawn at creation, kept for life, gone with a change to ExternalName (Kubernetes' allocator).
import { StatusError } from "#core";
import type { Admit } from "#schema";
import type { Service } from "./v1.types.ts";

export interface ClusterIpOptions {
  /** A number in [0, limit). */
  readonly below: (limit: number) => number;
  readonly isTaken: (address: string) => boolean;
}

/** 10.96.0.0/16 without its first and last few addresses, which Kubernetes reserves. */
const NETWORK = "10.96";
const FIRST = 16;
const LAST = 65_519;
const DRAWS_MAX = 256;

/** Gives Services of other types than ExternalName their addresses and the members that go with them. */
export function clusterIpAdmission(options: ClusterIpOptions): Admit<Service> {
  return ({ operation, subresource, object, old }) => {
    if (operation === "DELETE" || subresource !== "") return { object, warnings: [] };
    return { object: { ...object, spec: addressed(object.spec ?? {}, old?.spec, options) }, warnings: [] };
  };
}

type Spec = NonNullable<Service["spec"]>;

function addressed(spec: Spec, old: Spec | undefined, options: ClusterIpOptions): Spec {
  if (spec.type === "ExternalName") {
    const { clusterIP: _ip, clusterIPs: _ips, ipFamilies: _families, ipFamilyPolicy: _policy, internalTrafficPolicy: _traffic, ...rest } = spec;
    return rest;
  }
  const kept = old === undefined || old.type === "ExternalName" || old.clusterIP === "None" ? undefined : old.clusterIP;
  const clusterIP = spec.clusterIP !== undefined && spec.clusterIP !== "" ? spec.clusterIP : (kept ?? draw(options));
  return { internalTrafficPolicy: "Cluster", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", ...spec, clusterIP, clusterIPs: [clusterIP] };
}

function draw({ below, isTaken }: ClusterIpOptions): string {
  for (let attempt = 0; attempt < DRAWS_MAX; attempt++) {
    const number = FIRST + below(LAST - FIRST);
    const address = `${NETWORK}.${number >> 8}.${number & 255}`;
    if (!isTaken(address)) return address;
  }
  throw new StatusError("InternalError", "failed to allocate a serviceIP: range is full");
}
