// Where a registry is asked: its mirrors, then itself; with which scheme and whose trust. Pure.
import type { Trust } from "./transport.ts";

/** The settings for registries (ConfigMap `config-eider-images`). */
export interface RegistrySettings {
  /** Mirrors by registry, asked in order before it: `https://mirror.example`, `http://10.0.0.1:5000`. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Registries that may speak plain HTTP or show any certificate. */
  readonly insecure: readonly string[];
  /** PEM of authorities that are believed beside those of the machine. */
  readonly ca: string;
}

export interface Endpoint {
  /** Host with port; credentials are looked up under it. */
  readonly host: string;
  /** Base addresses without `/v2/`, tried in order. */
  readonly bases: readonly string[];
  readonly trust: Trust;
}

const HUB = "index.docker.io";
const HUB_ALIASES: readonly string[] = [HUB, "docker.io"];

/** As go-containerregistry: machines of a local network may speak plain HTTP; the others only when a setting says so. */
function mayBePlain(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return /^(localhost|\[::1\]|127(\.\d+){3}|10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2})$/.test(name) || /\.local(host)?$/.test(name);
}

/** In the order in which they are asked. */
export function endpointsFor(registry: string, { mirrors, insecure, ca }: RegistrySettings): readonly Endpoint[] {
  const names = HUB_ALIASES.includes(registry) ? HUB_ALIASES : [registry];
  const isInsecure = (host: string): boolean => insecure.includes(host) || insecure.includes(host.replace(/:\d+$/, ""));
  const mirrored = names
    .flatMap((name) => mirrors[name] ?? [])
    .map((address): Endpoint => {
      const url = new URL(address.includes("://") ? address : `https://${address}`);
      const base = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
      return { host: url.host, bases: [base], trust: { ca, insecure: isInsecure(url.host) } };
    });
  const schemes = mayBePlain(registry) || isInsecure(registry) ? ["https", "http"] : ["https"];
  return [...mirrored, { host: registry, bases: schemes.map((scheme) => `${scheme}://${registry}`), trust: { ca, insecure: isInsecure(registry) } }];
}
