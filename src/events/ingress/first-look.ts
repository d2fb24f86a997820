// What an ingress says before it has read a body (eventing.md 2.2, steps 0 to 4). Pure.
import { HANDSHAKE_HEADERS } from "../cloudevents/handshake.ts";

export type FirstLook =
  | { readonly status: 200 | 400 | 404 | 405; readonly headers?: Readonly<Record<string, string>> }
  /** The Broker that the path names; whether it exists is asked once the event is known to be one. */
  | { readonly namespace: string; readonly name: string };

/**
 * method    path                    answer
 * OPTIONS   any                     200, all granted
 * other     any                     405
 * POST      /                       404
 * POST      /NAMESPACE/NAME[/]      goes on
 * POST      other                   400
 */
export function firstLook(method: string, url: string): FirstLook {
  if (method === "OPTIONS") return { status: 200, headers: HANDSHAKE_HEADERS };
  if (method !== "POST") return { status: 405 };
  if (url === "/") return { status: 404 };
  const [path = ""] = url.split("?", 1);
  const [, namespace, name] = /^\/([^/]+)\/([^/]+)\/?$/.exec(path) ?? [];
  return namespace === undefined || name === undefined ? { status: 400 } : { namespace, name };
}
