// Requests for OpenAPI documents: hashes in addresses, tags, and the encodings of version 2.
import { createHash } from "node:crypto";
import type { Clock } from "#core";
import type { Asked } from "./discovery-answers.ts";
import type { OpenApi, OpenApiDocument } from "./openapi.ts";
import type { ApiRequest, ApiResponse } from "./port.ts";

/** Clients ask with `v2@v1.0`, which is no valid media type; the answer is. */
const V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const YEAR_MS = 365 * 86_400_000;
const PRIVATE = "no-cache, private";

/** What is under an address with its hash never changes. */
function freshness(isImmutable: boolean, nowMs: number): Readonly<Record<string, string>> {
  if (!isImmutable) return { "cache-control": PRIVATE };
  return { "cache-control": "public, immutable", expires: new Date(nowMs + YEAR_MS).toUTCString().replace("GMT", "UTC") };
}

async function documentAnswer(
  request: ApiRequest,
  document: OpenApiDocument,
  { contentType, vary, fresh }: { contentType: string; vary: string; fresh: Readonly<Record<string, string>> },
): Promise<ApiResponse> {
  const etag = `"${document.hash}"`;
  const headers = { ...fresh, etag, vary };
  if (request.headers["if-none-match"] === etag) return { status: 304, headers, body: "" };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body: await document.make() };
}

const empty = (status: number, headers: Readonly<Record<string, string>> = {}): ApiResponse => ({
  status,
  headers: { "cache-control": PRIVATE, ...headers },
  body: "",
});

async function v3Answer(openApi: OpenApi, { request, path, query }: Asked, clock: Clock): Promise<ApiResponse> {
  const name = path.slice("/openapi/v3/".length);
  const document = name === "" ? undefined : await openApi.v3(name);
  if (document === undefined) return empty(404);
  const asked = query.get("hash") ?? "";
  if (asked !== "" && asked !== document.hash)
    return empty(301, { location: `/openapi/v3/${name}?hash=${document.hash}`, vary: "Accept", etag: `"${document.hash}"` });
  const fresh = freshness(asked !== "", clock.wallMs());
  return documentAnswer(request, document, { contentType: "application/json", vary: "Accept", fresh });
}

async function indexAnswer(openApi: OpenApi, request: ApiRequest): Promise<ApiResponse> {
  const text = await openApi.index();
  const etag = `"${createHash("sha512").update(text).digest("hex").toUpperCase()}"`;
  if (request.headers["if-none-match"] === etag) return empty(304, { etag });
  return { status: 200, headers: { "cache-control": PRIVATE, etag, "content-type": "text/plain; charset=utf-8" }, body: text };
}

async function v2Answer(openApi: OpenApi, request: ApiRequest): Promise<ApiResponse> {
  const accept = request.headers["accept"] ?? "";
  const protobuf = /spec\.v2[@.]v1\.0\+protobuf/.test(accept);
  if (!protobuf && accept !== "" && !/(application\/(json|\*)|\*\/\*)/.test(accept)) return empty(406);
  const document = await openApi.v2(protobuf ? "protobuf" : "json");
  const contentType = protobuf ? V2_PROTOBUF : "application/json";
  return documentAnswer(request, document, { contentType, vary: "Accept-Encoding, Accept", fresh: freshness(false, 0) });
}

/** Undefined for paths of no document. */
export async function openApiAnswer(openApi: OpenApi, asked: Asked, clock: Clock): Promise<ApiResponse | undefined> {
  const { request, path } = asked;
  if (path === "/openapi/v2") return v2Answer(openApi, request);
  if (path === "/openapi/v3") return indexAnswer(openApi, request);
  return path.startsWith("/openapi/v3/") ? v3Answer(openApi, asked, clock) : undefined;
}
