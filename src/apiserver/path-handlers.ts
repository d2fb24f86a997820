// Requests that concern no resource: discovery, version, OpenAPI, health, metrics, documents.
import { notFound, StatusError } from "#core";
import type { Discovery } from "./discovery.ts";
import { discoveryAnswer, type Asked } from "./discovery-answers.ts";
import { isBuiltInGroup } from "./discovery-order.ts";
import { methodNotAllowed } from "./errors.ts";
import { HEALTH_PATHS, healthAnswer, type HealthChecks } from "./health.ts";
import { openApiAnswer } from "./openapi-answers.ts";
import type { OpenApi } from "./openapi.ts";
import type { ApiResponse, ApiServerOptions } from "./port.ts";
import type { Registry } from "./registry.ts";
import type { RequestMetrics } from "./request-metrics.ts";
import { errorResponse, jsonResponse, pageNotFound } from "./responses.ts";

/** Paths that tell nothing and are open to everyone. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(HEALTH_PATHS);

/** How many minor versions back a server may pretend to be. */
const EMULATED_BACK = 1;

function versionDocument(version: string): object {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - EMULATED_BACK),
    gitVersion: version,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "go0.0.0",
    compiler: "node",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}

/** As a person would like to read it, which is how the server writes what is no object of the API. */
function prettyResponse(document: object): ApiResponse {
  return jsonResponse(200, JSON.stringify(document, undefined, 2));
}

export interface PathParts {
  readonly registry: Registry;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly metrics: Pick<RequestMetrics, "refresh">;
}

/** What is alive while the process is: that it answers, and its store. */
function checksOf({ store, healthChecks }: Pick<ApiServerOptions, "store" | "healthChecks">): HealthChecks {
  // A store that cannot be read fails here; it has the name of what stands in its place elsewhere.
  const reads = (): Promise<unknown> => store.get("/");
  return { live: { ping: () => Promise.resolve(), etcd: reads, ...healthChecks?.live }, ready: { "etcd-readiness": reads, ...healthChecks?.ready } };
}

/** Answers for everything below no resource; unknown paths get Kubernetes' plain 404. */
export async function answerPath(
  options: Pick<ApiServerOptions, "version" | "metricsText" | "documents" | "endpoints" | "store" | "clock" | "healthChecks">,
  parts: PathParts,
  { request, path, query }: Asked,
): Promise<ApiResponse> {
  const health = await healthAnswer(checksOf(options), path, query);
  if (health !== undefined) return health;
  if (request.method !== "GET" && request.method !== "HEAD") return known(parts, path) ? errorResponse(methodNotAllowed()) : notServed(parts, path);
  if (path === "/" || path === "/index.html") return prettyResponse({ paths: indexOf(options, parts) });
  if (path === "/version" || path === "/version/") return prettyResponse(versionDocument(options.version));
  if (path === "/metrics" && options.metricsText !== undefined) {
    await parts.metrics.refresh();
    return { status: 200, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, body: await options.metricsText() };
  }
  const document = options.documents?.[path]?.(query);
  if (document !== undefined) return jsonResponse(200, JSON.stringify(document));
  const openApi = await openApiAnswer(parts.openApi, { request, path, query }, options.clock);
  return openApi ?? discoveryAnswer(parts.discovery, { request, path, query }) ?? notServed(parts, path);
}

function known({ discovery }: PathParts, path: string): boolean {
  return path === "/version" || discovery.plain(path, "") !== undefined;
}

/** The paths that a browser is told at the root. */
function indexOf(options: Parameters<typeof answerPath>[0], { discovery }: PathParts): readonly string[] {
  const checks = checksOf(options);
  const live = Object.keys(checks.live);
  const health = HEALTH_PATHS.flatMap((root) => [
    root,
    ...[...live, ...(root === "/readyz" ? Object.keys(checks.ready) : [])].map((name) => `${root}/${name}`),
  ]);
  const own = [...(options.metricsText === undefined ? [] : ["/metrics"]), ...Object.keys(options.documents ?? {}), ...Object.keys(options.endpoints ?? {})];
  return [...discovery.paths(), ...health, ...own, "/openapi/v2", "/openapi/v3", "/version"].sort();
}

/** Below the groups that a kube-apiserver brings along, what is not there is told as a Status. */
function notServed({ registry, discovery }: PathParts, path: string): ApiResponse {
  const [root = "", group = "", version = "", ...rest] = path.split("/").slice(1);
  const missing = new StatusError("NotFound", "the server could not find the requested resource", { details: {} });
  if (root === "api" && group !== "") return errorResponse(missing);
  if (root !== "apis" || group === "") return pageNotFound();
  if (isBuiltInGroup(group)) return discovery.plain(`/apis/${group}`, "") === undefined ? pageNotFound() : errorResponse(missing);
  // A subresource that a custom kind does not have is told as the object that is missing.
  const [plural = "", name = "", subresource] = rest[0] === "namespaces" && rest.length > 2 ? rest.slice(2) : rest;
  const resource = registry.find(group, version, plural);
  return resource === undefined || subresource === undefined ? pageNotFound() : errorResponse(notFound(resource.name, name));
}
