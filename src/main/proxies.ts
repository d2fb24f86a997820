// The subresources pods/proxy, services/proxy and nodes/proxy: requests passed on to what runs here.
import type { Duplex } from "node:stream";
import { passOn, type SubresourceHandler, type SubresourceRequest } from "#apiserver";
import type { Client } from "#client";
import { badRequest, notFound, StatusError } from "#core";
import { Endpoints, Pod, type CoreService } from "#kinds";
import type { PodStreams } from "#runtimes";

const VERBS = ["create", "delete", "get", "patch", "update"] as const;
/** What is asked for without a port. */
const PORT_DEFAULT = { http: 80, https: 443 } as const;

export interface ProxyTools {
  readonly runtime: () => PodStreams;
  readonly client: () => Client;
}

type Proxy = NonNullable<SubresourceRequest["proxy"]>;

function handler(kind: string, connect: (request: SubresourceRequest, proxy: Proxy) => Promise<() => Promise<Duplex>>): SubresourceHandler {
  return {
    verbs: VERBS,
    kind: { group: "", version: "", kind },
    passesOn: true,
    async handle(request) {
      const { proxy, http, signal } = request;
      if (proxy === undefined) throw new Error("the request names nobody to pass it on to");
      return passOn(http, { ...proxy, signal, connect: await connect(request, proxy) });
    },
  };
}

export function podProxy({ runtime }: ProxyTools): SubresourceHandler {
  return handler("PodProxyOptions", async ({ object }, { target }) => {
    const pod = object as Pod;
    if ((pod.status?.podIP ?? "") === "") throw badRequest("address not allowed");
    return () => runtime().connect(pod, portOf(pod, target));
  });
}

function portOf(pod: Pod, { scheme, port }: Proxy["target"]): number {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  if (port === "") return ports[0]?.containerPort ?? PORT_DEFAULT[scheme];
  const found = /^\d+$/.test(port) ? Number(port) : ports.find((each) => each.name === port)?.containerPort;
  if (found === undefined || found < 1 || found > 65_535)
    throw new StatusError("ServiceUnavailable", `error trying to reach service: unknown port ${JSON.stringify(port)}`);
  return found;
}

export function serviceProxy({ runtime, client }: ProxyTools): SubresourceHandler {
  return handler("ServiceProxyOptions", async ({ object, namespace }, { target }) => {
    const service = object as CoreService;
    const portName = portNameOf(service, target.port);
    const endpoints = await client().find(Endpoints, namespace, target.name);
    if (endpoints === undefined) throw notFound({ group: "", resource: "services" }, target.name);
    for (const { addresses = [], ports = [] } of endpoints.subsets ?? []) {
      const port = ports.find(({ name = "" }) => name === portName)?.port;
      for (const { targetRef } of port === undefined ? [] : addresses) {
        const pod = targetRef?.kind === "Pod" ? await client().find(Pod, namespace, targetRef.name ?? "") : undefined;
        if (pod !== undefined && port !== undefined) return () => runtime().connect(pod, port);
      }
    }
    throw new StatusError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(target.name)}`);
  });
}

/** A number stands for the Service's own port, whose name its endpoints know. */
function portNameOf({ metadata, spec }: CoreService, port: string): string {
  if (!/^\d+$/.test(port)) return port;
  const found = spec?.ports?.find((each) => each.port === Number(port));
  if (found === undefined) throw new StatusError("ServiceUnavailable", `no service port ${port} found for service ${JSON.stringify(metadata.name)}`);
  return found.name ?? "";
}

/** The kubelet's own API, as far as there is one: its health and its pods. */
export function nodeProxy({ client }: ProxyTools): SubresourceHandler {
  return {
    verbs: VERBS,
    kind: { group: "", version: "", kind: "NodeProxyOptions" },
    passesOn: true,
    async handle({ proxy, name, verb }) {
      const path = proxy?.path.split("?")[0] ?? "";
      const text = { "content-type": "text/plain; charset=utf-8" };
      if (verb === "get" && path === "/healthz") return { status: 200, headers: text, body: "ok" };
      if (verb !== "get" || path !== "/pods") return { status: 404, headers: text, body: "404 page not found\n" };
      const { items } = await client().list(Pod, { fieldSelector: `spec.nodeName=${proxy?.target.name ?? name}` });
      return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items }) };
    },
  };
}
