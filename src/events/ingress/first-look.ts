// What an ingress says before it has read a body (eventing.md 2.2, steps 0 to 4, and 2.7). Pure.
import { HANDSHAKE_HEADERS } from "../cloudevents/handshake.ts";

/** Where events are taken. */
export type Place =
  | { readonly kind: "Broker" | "Channel"; readonly namespace: string; readonly name: string }
  | { readonly kind: "Channel"; readonly host: string };

export type FirstLook = { readonly status: 200 | 400 | 404 | 405; readonly headers?: Readonly<Record<string, string>> } | { readonly place: Place };

/** Ends the first part of the name of every channel. */
const CHANNEL_SUFFIX = "-kn-channel";
/** The name under which channels are reached by path. */
const DISPATCHER = "imc-dispatcher";

/**
 * at a Broker's name, or any other; whether the Broker exists is asked once the event is known to be one
 * method    path                    answer
 * OPTIONS   any                     200, all granted
 * other     any                     405
 * POST      /                       404
 * POST      /NAMESPACE/NAME[/]      goes on
 * POST      other                   400
 *
 * at a channel's name; whether the channel exists is asked first
 * path                channel      method    answer
 * other               –            any       400
 * / /NAMESPACE/NAME   not there    any       404
 * / /NAMESPACE/NAME   there        OPTIONS   200, all granted
 * / /NAMESPACE/NAME   there        other     405
 * / /NAMESPACE/NAME   there        POST      goes on
 */
export function firstLook(
  { method, url, host }: { readonly method: string; readonly url: string; readonly host: string },
  isThere: (place: Place) => boolean,
): FirstLook {
  const [path = ""] = url.split("?", 1);
  const [, namespace, name] = /^\/([^/]+)\/([^/]+)\/?$/.exec(path) ?? [];
  const named = namespace === undefined || name === undefined ? undefined : { namespace, name };
  const [server = ""] = host.split(":", 1);
  const [label = ""] = server.split(".", 1);
  if (label !== DISPATCHER && !label.endsWith(CHANNEL_SUFFIX)) return atBroker(method, url, named);
  const place: Place | undefined = path === "/" ? { kind: "Channel", host: server } : named === undefined ? undefined : { kind: "Channel", ...named };
  if (place === undefined) return { status: 400 };
  if (!isThere(place)) return { status: 404 };
  return byMethod(method) ?? { place };
}

function byMethod(method: string): FirstLook | undefined {
  if (method === "OPTIONS") return { status: 200, headers: HANDSHAKE_HEADERS };
  return method === "POST" ? undefined : { status: 405 };
}

function atBroker(method: string, url: string, named: { readonly namespace: string; readonly name: string } | undefined): FirstLook {
  const answer = byMethod(method);
  if (answer !== undefined) return answer;
  if (url === "/") return { status: 404 };
  return named === undefined ? { status: 400 } : { place: { kind: "Broker", ...named } };
}
