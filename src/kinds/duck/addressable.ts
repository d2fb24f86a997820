// What has an address, and how a destination becomes a URL (eventing.md §0.4, Resolver). Pure: objects are handed in.
import { s, type KubeObject } from "#schema";
import { absoluteUrl, type Destination } from "./destination.ts";
import type { KReference } from "./reference.ts";
import { AddressableSchema, type Addressable } from "./status.ts";

/** Properties of `status` of what can be sent to. */
export const addressStatus = {
  address: s.optional(AddressableSchema),
  addresses: s.optional(s.list(AddressableSchema, { plain: true })),
};

/** Where to send; `CACerts` and `audience` are the destination's own where it has them. */
export interface ResolvedAddress {
  readonly name?: string;
  readonly url: string;
  readonly CACerts?: string;
  readonly audience?: string;
}

/** A place, or why there is none, in Knative's words. */
export type Resolution = { readonly address: ResolvedAddress } | { readonly error: string };

/** The object of a reference, or why it cannot be had: `services.serving.knative.dev "x" not found`. */
export type FindReferenced = (reference: KReference) => KubeObject | { readonly error: string };

export interface ResolveOptions {
  readonly find: FindReferenced;
  /** The last part of hosts of plain Services. */
  readonly clusterDomain: string;
  /** Whether there are authorities for https beside those that addresses bring along. */
  readonly trustsCluster?: boolean;
}

const isFilled = (text: string | undefined): text is string => text !== undefined && text !== "";

function textOf(reference: KReference): string {
  const { kind = "", namespace = "", name = "", apiVersion = "", group = "", address = "" } = reference;
  return `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${group}, Address = ${address}`;
}

/** What any object says of its addresses; whatever has another form counts as absent. */
function addressesOf(object: KubeObject): { readonly address: Addressable | undefined; readonly addresses: readonly Addressable[] } {
  const { status } = object as KubeObject & { readonly status?: { readonly address?: unknown; readonly addresses?: unknown } };
  const one = (value: unknown): Addressable[] => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    const texts = Object.entries(value).filter(([key, member]) => ["CACerts", "audience", "name", "url"].includes(key) && typeof member === "string");
    return [Object.fromEntries(texts) as Addressable];
  };
  const addresses = Array.isArray(status?.addresses) ? status.addresses.flatMap(one) : [];
  return { address: one(status?.address)[0], addresses };
}

/** Of several addresses the https one when its authority is known, else the http one: the order of the list says nothing. */
function preferred(addresses: readonly Addressable[], trustsCluster: boolean): Addressable | undefined {
  const of = (scheme: string): Addressable | undefined => addresses.find(({ url = "" }) => url.startsWith(`${scheme}:`));
  const secure = of("https");
  if (secure !== undefined && (isFilled(secure.CACerts) || trustsCluster)) return secure;
  return of("http") ?? secure ?? addresses[0];
}

/** The address of any object that has one in its status: Brokers, Channels, Knative Services, users' kinds. */
export function addressOf(object: KubeObject, reference: KReference, options: { readonly trustsCluster?: boolean } = {}): Resolution {
  const { address, addresses } = addressesOf(object);
  const wanted = reference.address;
  if (address === undefined && addresses.length === 0) return { error: `address not set for ${textOf(reference)}` };
  const named = isFilled(wanted) ? addresses.find(({ name }) => name === wanted) : undefined;
  if (isFilled(wanted) && named === undefined) return { error: `address with name ${JSON.stringify(wanted)} not found for ${textOf(reference)}` };
  const chosen = named ?? preferred(addresses, options.trustsCluster === true) ?? address ?? {};
  if (!isFilled(chosen.url)) return { error: `URL missing in address of ${textOf(reference)}` };
  if (absoluteUrl(chosen.url) === undefined) return { error: `hostname missing in address of ${textOf(reference)}` };
  return { address: { ...chosen, url: chosen.url } };
}

/** A plain Service has no status that tells an address: its host is one. */
function serviceAddress(reference: KReference, { CACerts }: Destination, clusterDomain: string): Resolution {
  const { name = "", namespace = "", address } = reference;
  const scheme = isFilled(CACerts) ? "https" : "http";
  return { address: { url: `${scheme}://${name}.${namespace}.svc.${clusterDomain}`, ...(isFilled(address) ? { name: address } : {}) } };
}

/** The destination's own authorities and audience go before those of the object. */
function withOwn(address: ResolvedAddress, { CACerts, audience }: Destination): ResolvedAddress {
  return { ...address, ...(isFilled(CACerts) ? { CACerts } : {}), ...(isFilled(audience) ? { audience } : {}) };
}

function resolveReference(reference: KReference, destination: Destination, options: ResolveOptions): Resolution {
  const { namespace = "", name = "", apiVersion, kind } = reference;
  const object = options.find(reference);
  if ("error" in object) return { error: `failed to get object ${namespace}/${name}: ${String(object.error)}` };
  if (apiVersion === "v1" && kind === "Service") return serviceAddress(reference, destination, options.clusterDomain);
  return addressOf(object as KubeObject, reference, options);
}

/** Where the destination's events go; its reference has its namespace already. */
export function resolveDestination(destination: Destination, options: ResolveOptions): Resolution {
  const { ref } = destination;
  const uri = isFilled(destination.uri) ? destination.uri : undefined;
  if (ref === undefined) {
    if (uri === undefined) return { error: "destination missing Ref and URI, expected at least one" };
    if (absoluteUrl(uri) === undefined) return { error: `URI is not absolute (both scheme and host should be non-empty): ${JSON.stringify(uri)}` };
    return { address: withOwn({ url: uri }, destination) };
  }
  const found = resolveReference(ref, destination, options);
  if ("error" in found) return found;
  const address = withOwn(found.address, destination);
  if (uri === undefined) return { address };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)) return { error: "absolute URI is not allowed when Ref or [apiVersion, kind, name] exists" };
  return { address: { ...address, url: new URL(uri, address.url).href } };
}
