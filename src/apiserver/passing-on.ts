// Which requests are passed on to somebody behind an object, and to whom: `…/services/https:web:443/proxy/a/path`.
import { badRequest } from "#core";
import type { Call } from "./operations.ts";
import type { ApiRequest, ProxyTarget, SubresourceRequest } from "./port.ts";
import type { Registry } from "./registry.ts";
import { requestInfo } from "./request-info.ts";

/** `SCHEME:NAME:PORT`, `NAME:PORT` or `NAME`; undefined for anything else. */
export function parseTarget(text: string): ProxyTarget | undefined {
  const parts = text.split(":");
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  if (parts.length > 3 || name === "" || !["", "http", "https"].includes(scheme)) return undefined;
  return { scheme: scheme === "https" ? "https" : "http", name, port };
}

/** Throws BadRequest for a name that is no target. */
export function proxyOf({ target: url }: ApiRequest, { resource, name, below = "" }: Call): NonNullable<SubresourceRequest["proxy"]> {
  const target = parseTarget(name);
  if (target === undefined) throw badRequest(`invalid ${resource.kind.singular} request ${JSON.stringify(name)}`);
  const [path = ""] = url.split("?", 1);
  return { target, path: below + url.slice(path.length), prefix: path.slice(0, path.length - below.length) };
}

/** Whether the body of a request is for somebody else, who reads it as it comes. */
export function passesOn(registry: Registry, { method, target }: Pick<ApiRequest, "method" | "target">): boolean {
  const [path = ""] = target.split("?", 1);
  return requestInfo(registry, method, path, new URLSearchParams())?.below !== undefined;
}
