// Where events are sent: kn's sinks, as addresses inside the cluster or, for `send`, ones that this machine reaches.
import { addressOf, Broker, Channel, CLUSTER_DOMAIN, CoreService, Service } from "#kinds";
import type { Client } from "#client";
import type { Kind, KubeObject } from "#schema";
import { CliError } from "./exit.ts";

/** A Broker's address for people outside. */
const OUTER_URL = "eider.dev/url";
export const SINK_WORDS = "URL, broker:NAME, ksvc:NAME, channel:NAME or svc:NAME, each with :NAMESPACE behind it where it is another one";

type Sink = { readonly url: string } | { readonly prefix: string; readonly name: string; readonly namespace: string };

/** Throws CliError `usage`. */
export function parseSink(text: string, namespace: string): Sink {
  if (/^https?:\/\//.test(text)) {
    if (URL.canParse(text)) return { url: text };
    throw new CliError("usage", `${JSON.stringify(text)} is no URL`);
  }
  const [, prefix = "", name = "", other] = /^(broker|ksvc|channel|svc|trigger|subscription):([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (name === "") throw new CliError("usage", `${JSON.stringify(text)} is no sink`, { hint: SINK_WORDS });
  return { prefix, name, namespace: other ?? namespace };
}

const KINDS: Readonly<Record<string, Kind>> = { broker: Broker as Kind, ksvc: Service as Kind, channel: Channel as Kind, svc: CoreService as Kind };

/** `outside`: for a request of this program; else for one of the platform. */
export async function sinkUrl(sink: Sink, client: Client, options: { readonly outside: boolean }): Promise<string> {
  if ("url" in sink) return sink.url;
  const { prefix, name, namespace } = sink;
  const kind = KINDS[prefix];
  if (kind === undefined) throw new CliError("usage", `events are not sent to a ${prefix} itself`, { hint: SINK_WORDS });
  const object = await client.find(kind, namespace, name);
  if (object === undefined)
    throw new CliError("notFound", `${kind.kind} "${name}" not found in namespace "${namespace}"`, { hint: `kubectl get ${kind.plural} -n ${namespace}` });
  return options.outside ? outerUrl(object, sink) : innerUrl(object, sink);
}

function innerUrl(object: KubeObject, { prefix, name, namespace }: Exclude<Sink, { readonly url: string }>): string {
  if (prefix === "svc") return `http://${name}.${namespace}.svc.${CLUSTER_DOMAIN}`;
  const found = addressOf(object, { kind: object.kind, name, namespace, apiVersion: object.apiVersion });
  if ("error" in found) throw new CliError("notReady", `${object.kind} "${name}" has no address yet: ${found.error}`);
  return found.address.url;
}

function outerUrl(object: KubeObject, { prefix, name, namespace }: Exclude<Sink, { readonly url: string }>): string {
  const { status } = object as KubeObject & { readonly status?: { readonly url?: string; readonly annotations?: Readonly<Record<string, string>> } };
  const url = prefix === "ksvc" ? status?.url : status?.annotations?.[OUTER_URL];
  if (url !== undefined) return url;
  const hint =
    prefix === "broker"
      ? "brokers are reached from outside once they are Ready, on a platform that listens on loopback"
      : "send to a Broker, a Knative Service or a URL";
  throw new CliError("notReady", `${object.kind} "${name}" in namespace "${namespace}" has no address that this machine reaches`, { hint });
}
