// One request of the distribution API, from its path to its answer (OCI Distribution Specification 1.1, end-1 to end-13).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ImageStore } from "../image-store.ts";
import { storedName } from "../own-registry.ts";
import { issueToken, mustBeAllowed, type Access } from "./access.ts";
import { beginUpload, serveUpload } from "./blob-uploads.ts";
import { serveBlob } from "./blobs.ts";
import { answerJson, unsupported, type Exchange } from "./exchange.ts";
import { mustNotBeForeign } from "./foreign-pages.ts";
import { serveCatalog, serveReferrers, serveTags } from "./listings.ts";
import { serveManifest } from "./manifests.ts";
import { registryErrorOf, RegistryError } from "./registry-error.ts";
import { parsePath } from "./registry-path.ts";

export interface HandleOptions {
  readonly store: ImageStore;
  /** Something was deleted, or moved, or begun: there may be something to collect. */
  readonly changed: () => void;
  /** Undefined: everybody may do everything. */
  readonly access?: Access | undefined;
  /** An error that nobody expected. */
  readonly failed: (error: unknown, request: { readonly method: string; readonly path: string }) => void;
}

/** Never rejects: every failure is an answer, or the end of the connection when an answer has begun. */
export async function handle(request: IncomingMessage, response: ServerResponse, { store, changed, failed, access }: HandleOptions): Promise<void> {
  const url = new URL(request.url ?? "/", "http://registry");
  const exchange: Exchange = { request, response, method: request.method ?? "GET", path: url.pathname, query: url.searchParams, store, changed };
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  try {
    await dispatch(exchange, access);
  } catch (error) {
    const gone = response.destroyed || request.errored !== null;
    const known = registryErrorOf(error);
    if (known === undefined && !gone) failed(error, exchange);
    if (gone || response.headersSent) return void response.destroy();
    const { status, body, headers } = known ?? new RegistryError(500, "UNKNOWN", "the registry failed; its log says why");
    response
      .writeHead(status, { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      .end(exchange.method === "HEAD" ? undefined : body);
  }
}

async function dispatch(exchange: Exchange, access: Access | undefined): Promise<void> {
  mustNotBeForeign(exchange.request.headers, { hosts: exchange.store.own.hosts, anonymous: access === undefined });
  if (access?.kind === "token" && exchange.path === "/token" && exchange.method === "GET")
    return answerJson(exchange, issueToken(exchange.request, exchange.query, access), { "cache-control": "no-store" });
  const target = parsePath(exchange.path);
  if (target === undefined) throw new RegistryError(404, "UNSUPPORTED", `the registry has no ${exchange.path}`);
  if (target.of === "wrongName") throw new RegistryError(400, "NAME_INVALID", `${JSON.stringify(target.name)} is no name of a repository`);
  if (access !== undefined) mustBeAllowed(exchange.request, target, access);
  if (target.of === "catalog") return serveCatalog(exchange);
  if (target.of === "base") {
    if (exchange.method !== "GET" && exchange.method !== "HEAD") throw unsupported(exchange, "GET, HEAD");
    return answerJson(exchange, {});
  }
  const name = target.repository;
  const repository = storedName(name);
  switch (target.of) {
    case "blob":
      return serveBlob(exchange, repository, target.digest);
    case "uploads":
      return beginUpload(exchange, { name, repository });
    case "upload":
      return serveUpload(exchange, { name, repository }, target.id);
    case "manifest":
      return serveManifest(exchange, { name, repository, reference: target.reference });
    case "tags":
      return serveTags(exchange, name, repository);
    case "referrers":
      return serveReferrers(exchange, repository, target.digest);
  }
}
