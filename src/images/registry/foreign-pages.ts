// What a web page in a browser on this machine may not do: a registry that asks nobody who he is trusts whoever reaches loopback, and every page does.
//
// header          refused
// Origin          of another host than the one that is asked, or `null`
// Sec-Fetch-Site  cross-site, same-site
// Host            a name that is not ours: a page's own, which its server lets point here (DNS rebinding); only without authentication
import { isIP } from "node:net";
import type { IncomingHttpHeaders } from "node:http";
import { RegistryError } from "./registry-error.ts";

export interface Trust {
  /** Hosts that the registry is reached as, with ports. */
  readonly hosts: readonly string[];
  /** Everybody may do everything. */
  readonly anonymous: boolean;
}

/** Where containers find their machine. */
const MACHINE_NAMES: readonly string[] = ["localhost", "host.containers.internal", "host.docker.internal"];

/** Throws RegistryError 403. Programs that are no browsers send no Origin and know the host by a name of ours. */
export function mustNotBeForeign({ host, origin, "sec-fetch-site": site }: IncomingHttpHeaders, { hosts, anonymous }: Trust): void {
  if (anonymous && host !== undefined && !isOurs(host, hosts))
    throw denied(`the registry is not known as ${JSON.stringify(host)}: ask for it at ${hosts[0] ?? "localhost"}, or start Eider with --registry-auth`);
  if (origin !== undefined && !isSame(origin, host)) throw denied(`a web page of ${JSON.stringify(origin)} may not use the registry`);
  if (site === "cross-site" || site === "same-site") throw denied(`a web page of another origin may not use the registry (Sec-Fetch-Site: ${site})`);
}

function denied(message: string): RegistryError {
  return new RegistryError(403, "DENIED", message);
}

function isOurs(host: string, hosts: readonly string[]): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  const isAddress = isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
  return isAddress || MACHINE_NAMES.includes(name) || name.endsWith(".localhost") || hosts.some((each) => nameOf(each) === name);
}

/** Without its port and the dot of the root; undefined for what is no host. */
function nameOf(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname.replace(/\.$/, "") : undefined;
}

/** The scheme says nothing: TLS may end before us. */
function isSame(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const { protocol, host: from } = new URL(origin);
  return from !== "" && from === new URL(`${protocol}//${host}`).host;
}
