// Where a request goes, or what the gateway answers itself: by host and path, and from inside also by the name of a revision.
import type { ClientSide } from "../request/client-side.ts";
import type { GatewayContext } from "../context.ts";
import { valuesOf } from "../http/head-scan.ts";
import { kubeletProbeResponse, probeResponse } from "../request/network-probe.ts";
import { BODY_TOO_LARGE, errorResponse, type OwnResponse } from "../http/own-response.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Target } from "./target.ts";

export type Finding = Pick<GatewayContext, "routes" | "backends" | "draining">;

export function findTarget(head: RequestHead, client: Pick<ClientSide, "isInside" | "limitBody" | "takePlace">, context: Finding): Target | OwnResponse {
  const { isInside } = client;
  // Another ingress names the revision as it names it to Knative's activator. From outside nobody is believed.
  if (isInside && head.revision !== "" && head.namespace !== "") return revisionNamed(head, `${head.namespace}/${head.revision}`, context);
  const host = context.routes.host(head.host, isInside);
  if (host === undefined) {
    const key = isInside ? revisionOf(head.host) : undefined;
    if (key === undefined) return kubeletProbeResponse(head, context.draining) ?? errorResponse(404, `404 no service answers to the host "${head.host}"`);
    return revisionNamed(head, key, context);
  }
  const { route } = host;
  if (route.redirectToHttps && !isInside) return { status: 301, headers: `Location: https://${head.host}${head.target}\r\n`, body: "" };
  if (route.requestsMax !== undefined && !client.takePlace(head.host, route.requestsMax)) return errorResponse(503, "503 too many requests for this host");
  if (route.bodyBytesMax !== undefined && !client.limitBody(route.bodyBytesMax)) return errorResponse(413, BODY_TOO_LARGE);
  const target = context.routes.target(host, head, isInside);
  if (target === "noPath") return errorResponse(404, "404 no path of this host matches");
  if (target === "loop") return errorResponse(508, `508 the routes of the host "${head.host}" lead back to themselves`);
  return probeResponse(head, route.probeHash) ?? target;
}

/** As Knative's activator answers (serving.md 4.2). */
function revisionNamed(head: RequestHead, key: string, { routes, backends }: Finding): Target | OwnResponse {
  const probe = probeResponse(head, undefined);
  if (probe !== undefined) return probe;
  const backend = backends.get(key);
  if (backend === undefined || backend.entry.kind === "service") {
    const name = key.slice(key.indexOf("/") + 1);
    return errorResponse(404, `Error getting active endpoint: revisions.serving.knative.dev "${name}" not found`);
  }
  return routes.revision(key, valuesOf(head.text, head.fields, "k-original-host")[0] ?? "");
}

/** The key of the revision whose Service has this name, with any cluster domain: `<revision>.<namespace>.svc[.<cluster domain>]`. */
function revisionOf(host: string): string | undefined {
  const [revision = "", namespace = "", svc] = host.split(".", 3);
  return svc === "svc" && revision !== "" && namespace !== "" ? `${namespace}/${revision}` : undefined;
}
