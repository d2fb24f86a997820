// Requests that concern no resource: discovery, version, OpenAPI, health, metrics, documents.
import { createHash } from "node:crypto";
import type { ApiRequest, ApiResponse, ApiServerOptions } from "./port.ts";
import { discoveryDocument } from "./discovery.ts";
import { methodNotAllowed } from "./errors.ts";
import { aggregatedVersion } from "./negotiate.ts";
import type { OpenApi } from "./openapi.ts";
import type { Registry } from "./registry.ts";
import { errorResponse, jsonResponse, pageNotFound, textResponse } from "./responses.ts";

/** Paths that tell nothing and are open to everyone. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** Clients ask with `v2@v1.0`, which is no valid media type; the answer is. */
const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

function versionDocument(version: string): object {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return {
    major,
    minor,
    gitVersion: version,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "go0.0.0",
    compiler: "node",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}

/** A document that clients keep and revalidate: 304 when they have it. */
function cached(request: ApiRequest, body: string, contentType: string): ApiResponse {
  const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  const headers = { "cache-control": "public", etag, vary: "Accept" };
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: "" };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body };
}

function discovery(registry: Registry, request: ApiRequest, path: string): ApiResponse | undefined {
  const aggregatedAs = aggregatedVersion(request.headers["accept"]);
  const host = request.headers[":authority"] ?? request.headers["host"] ?? "";
  const found = discoveryDocument(registry, path, { host, aggregatedAs });
  if (found === undefined) return undefined;
  const body = JSON.stringify(found.document);
  if (!found.aggregated) return jsonResponse(200, body);
  return cached(request, body, `application/json;g=apidiscovery.k8s.io;v=${aggregatedAs};as=APIGroupDiscoveryList`);
}

/** Answers for everything below no resource; unknown paths get Kubernetes' plain 404. */
export async function answerPath(
  options: Pick<ApiServerOptions, "version" | "metricsText" | "documents" | "store">,
  parts: { readonly registry: Registry; readonly openApi: OpenApi },
  { request, path, query }: { readonly request: ApiRequest; readonly path: string; readonly query: URLSearchParams },
): Promise<ApiResponse> {
  if (request.method !== "GET" && request.method !== "HEAD") return known(parts.registry, path) ? errorResponse(methodNotAllowed()) : pageNotFound();
  if (OPEN_PATHS.has(path)) {
    // A store that cannot be read fails here, and with it the check.
    await options.store.get("/");
    return textResponse(200, query.has("verbose") ? `[+]ping ok\n[+]store ok\n${path.slice(1)} check passed\n` : "ok");
  }
  if (path === "/version") return jsonResponse(200, JSON.stringify(versionDocument(options.version)));
  if (path === "/metrics" && options.metricsText !== undefined) {
    return { status: 200, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, body: await options.metricsText() };
  }
  const document = options.documents?.[path]?.(query);
  if (document !== undefined) return jsonResponse(200, JSON.stringify(document));
  if (path === "/openapi/v2") return openApiV2Answer(request, options.version);
  if (path === "/openapi/v3" || path.startsWith("/openapi/v3/")) return openApiAnswer(parts.openApi, request, path);
  return discovery(parts.registry, request, path) ?? pageNotFound();
}

function known(registry: Registry, path: string): boolean {
  return OPEN_PATHS.has(path) || path === "/version" || discoveryDocument(registry, path, { host: "", aggregatedAs: undefined }) !== undefined;
}

/** Clients that cannot have a kind checked by the server (for a List) ask this one; without definitions they check nothing themselves. */
function openApiV2Answer(request: ApiRequest, version: string): ApiResponse {
  if (!(request.headers["accept"] ?? "").includes("v1.0+protobuf")) {
    return cached(request, JSON.stringify({ swagger: "2.0", info: { title: "Kubernetes", version }, paths: {} }), "application/json");
  }
  const field = (number: number, bytes: string): string => String.fromCharCode((number << 3) | 2, bytes.length) + bytes;
  const document = field(1, "2.0") + field(2, field(1, "Kubernetes") + field(2, version)) + field(8, "");
  return { status: 200, headers: { "content-type": OPENAPI_V2_PROTOBUF }, body: Buffer.from(document, "latin1") };
}

function openApiAnswer(openApi: OpenApi, request: ApiRequest, path: string): ApiResponse {
  const document = path.slice("/openapi/v3".length).replace(/^\//, "");
  if (document === "") return { ...cached(request, JSON.stringify(openApi.index()), "text/plain; charset=utf-8") };
  const body = openApi.document(document);
  return body === undefined ? pageNotFound() : cached(request, body, "application/json");
}
