// The spans of a traced request, under the names that Knative's activator and queue-proxy give theirs, as one hop has them.
import type { TracedRequest } from "#protocol";
import type { Attributes, Span } from "#telemetry";

const METHODS: ReadonlySet<string> = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]);

/** The whole request, its wait for a pod, and its way to the pod when it was sent to one. */
export function spansOf(request: TracedRequest): Span[] {
  const { traceId, traceState, spanId, endMs, durationMs, waitedMs, attempts } = request;
  const startMs = endMs - durationMs;
  const shared = { traceId, traceState, failed: false };
  const server: Span = {
    ...shared,
    spanId,
    parentId: request.parentId,
    name: METHODS.has(request.method) ? request.method : "HTTP",
    kind: "server",
    startMs,
    endMs,
    attributes: serverAttributes(request),
    failed: request.status >= 500,
  };
  const wait: Span = {
    ...shared,
    // Nobody else refers to it: any id will do that is not another's in this trace.
    spanId: flipped(spanId),
    parentId: spanId,
    name: request.cold ? "throttler_try" : "kn.queueproxy.wait",
    kind: "internal",
    startMs,
    endMs: startMs + waitedMs,
    attributes: { "eider.cold_start": request.cold },
  };
  if (attempts === 0) return [server, wait];
  return [server, wait, { ...shared, ...upstream(request), startMs: startMs + waitedMs, endMs }];
}

function flipped(id: string): string {
  return `${(Number.parseInt(id.slice(0, 1), 16) ^ 8).toString(16)}${id.slice(1)}`;
}

function serverAttributes(request: TracedRequest): Attributes {
  const { authority, method, status, backend } = request;
  const { host, port } = hostAndPort(authority);
  const [namespace = "", revision = ""] = backend.split("/");
  return {
    "server.address": host,
    ...(port === 0 || port === 80 ? {} : { "server.port": port }),
    ...methodAttributes(method),
    "url.scheme": "http",
    "url.path": request.target.split("?", 1)[0] ?? "",
    "client.address": request.clientAddress,
    "network.peer.address": request.clientAddress,
    "user_agent.original": request.userAgent,
    "network.protocol.version": `1.${request.minor}`,
    ...(request.requestBytes > 0 ? { "http.request.body.size": request.requestBytes } : {}),
    ...(request.responseBytes > 0 ? { "http.response.body.size": request.responseBytes } : {}),
    ...(status > 0 ? { "http.response.status_code": status } : {}),
    "kn.route.tag": request.routeTag,
    "kn.service.name": request.service,
    "kn.configuration.name": request.configuration,
    "kn.revision.name": revision,
    "k8s.namespace.name": namespace,
    "k8s.pod.name": request.podName,
    "eider.outcome": request.outcome,
  };
}

/** Of the latest attempt. */
function upstream(request: TracedRequest): Pick<Span, "spanId" | "parentId" | "name" | "kind" | "attributes" | "failed"> {
  const { method, podHost, podPort, status, attempts } = request;
  const failed = status >= 400 || status === 0;
  return {
    spanId: request.upstreamId,
    parentId: request.spanId,
    name: `HTTP ${METHODS.has(method) ? method : "_OTHER"}`,
    kind: "client",
    attributes: {
      ...methodAttributes(method),
      "url.full": `http://${podHost.includes(":") ? `[${podHost}]` : podHost}:${podPort}${request.target}`,
      "server.address": podHost,
      "server.port": podPort,
      "network.protocol.version": `1.${request.minor}`,
      ...(status > 0 ? { "http.response.status_code": status } : {}),
      ...(failed ? { "error.type": status > 0 ? String(status) : request.outcome } : {}),
      ...(attempts > 1 ? { "http.request.resend_count": attempts - 1 } : {}),
    },
    failed,
  };
}

function methodAttributes(method: string): Attributes {
  return METHODS.has(method) ? { "http.request.method": method } : { "http.request.method": "_OTHER", "http.request.method_original": method };
}

function hostAndPort(authority: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority);
  return { host: match?.[1] ?? authority, port: Number(match?.[2] ?? 0) };
}
