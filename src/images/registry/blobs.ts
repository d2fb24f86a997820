// Blobs: read whole or in part, deleted from a repository.
import { pipeline } from "node:stream/promises";
import { answer, mustDigest, unsupported, type Exchange } from "./exchange.ts";
import { parseRange } from "./byte-range.ts";
import { RegistryError } from "./registry-error.ts";

export async function serveBlob(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { store, method } = exchange;
  const digest = mustDigest(reference);
  if (method === "DELETE") {
    if (!(await store.repositories.unlink(repository, "blobs", digest))) throw unknown(digest);
    exchange.changed();
    return answer(exchange, 202);
  }
  if (method !== "GET" && method !== "HEAD") throw unsupported(exchange, "GET, HEAD, DELETE");
  // Who is told that it is there does not upload it: it has to stay for a while.
  const known = (await store.repositories.touch(repository, "blobs", digest)) && (await store.blobs.touch(digest));
  const size = known ? await store.blobs.size(digest) : undefined;
  if (size === undefined) throw unknown(digest);
  await send(exchange, digest, size);
}

async function send({ request, response, method, store }: Exchange, digest: string, size: number): Promise<void> {
  const headers = { "docker-content-digest": digest, etag: `"${digest}"`, "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (request.headers["if-none-match"] === `"${digest}"`) return void response.writeHead(304, headers).end();
  const range = parseRange(request.headers["range"], size);
  if (range === "unsatisfiable") {
    throw new RegistryError(416, "SIZE_INVALID", `the blob has ${size} bytes`, { headers: { "content-range": `bytes */${size}` } });
  }
  if (range === undefined) response.writeHead(200, { ...headers, "content-length": size });
  else {
    const { start, end } = range;
    response.writeHead(206, { ...headers, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
  }
  if (method === "HEAD" || size === 0) return void response.end();
  await pipeline(store.blobs.stream(digest, range ?? {}), response);
}

function unknown(digest: string): RegistryError {
  return new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", { detail: { digest } });
}
