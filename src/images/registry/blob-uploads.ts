// Uploads of blobs: at once, in pieces, or not at all because another repository has it.
import { isRepository } from "../image-name.ts";
import { storedName } from "../own-registry.ts";
import type { Piece, UploadRefusal } from "../uploads.ts";
import { parseContentRange } from "./byte-range.ts";
import { answer, mustDigest, unsupported, type Exchange } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";

/** `name` is the repository as the client calls it, `repository` as the store does. */
interface Names {
  readonly name: string;
  readonly repository: string;
}

/** POST …/blobs/uploads/ */
export async function beginUpload(exchange: Exchange, names: Names): Promise<void> {
  const { store, query, method, request } = exchange;
  const { name, repository } = names;
  if (method !== "POST") throw unsupported(exchange, "POST");
  if (!store.repositories.fits(repository)) throw new RegistryError(400, "NAME_INVALID", `the name ${name} is too long`);
  if (query.has("mount") && (await mount(exchange, names))) return;
  const digest = query.has("digest") ? mustDigest(query.get("digest")) : undefined;
  const upload = await store.uploads.begin(repository, query.get("digest-algorithm") === "sha512" ? "sha512" : undefined);
  exchange.changed();
  if (typeof upload === "string") throw refusal(upload, exchange, names);
  const location = `/v2/${name}/blobs/uploads/${upload.id}`;
  if (digest === undefined) return answer(exchange, 202, { location, range: "0-0", "docker-upload-uuid": upload.id });
  try {
    const finished = await store.uploads.finish(repository, upload.id, { stream: request, digest, ...lengthOf(exchange) });
    if (typeof finished === "string") throw refusal(finished, exchange, names);
  } finally {
    // Nobody knows its name.
    await store.uploads.cancel(repository, upload.id);
  }
  await created(exchange, names, digest);
}

/** …/blobs/uploads/ID */
export async function serveUpload(exchange: Exchange, names: Names, id: string): Promise<void> {
  const { store, method } = exchange;
  const { name, repository } = names;
  const location = `/v2/${name}/blobs/uploads/${id}`;
  const at = (size: number) => ({ location, range: `0-${Math.max(0, size - 1)}`, "docker-upload-uuid": id });
  switch (method) {
    case "GET":
    case "HEAD": {
      const upload = await store.uploads.find(repository, id);
      if (upload === undefined) throw refusal("unknown", exchange, names);
      return answer(exchange, 204, at(upload.size));
    }
    case "PATCH": {
      const upload = await store.uploads.append(repository, id, pieceOf(exchange));
      if (typeof upload === "string") throw await refusalAt(upload, exchange, names, { id, at });
      return answer(exchange, 202, at(upload.size));
    }
    case "PUT": {
      const digest = mustDigest(exchange.query.get("digest"));
      const finished = await store.uploads.finish(repository, id, { ...pieceOf(exchange), digest });
      if (typeof finished === "string") throw await refusalAt(finished, exchange, names, { id, at });
      return created(exchange, names, digest);
    }
    case "DELETE": {
      const cancelled = await store.uploads.cancel(repository, id);
      if (cancelled !== "cancelled") throw refusal(cancelled, exchange, names);
      return answer(exchange, 204);
    }
    default:
      throw unsupported(exchange, "GET, PATCH, PUT, DELETE");
  }
}

/** False when an upload has to follow: the blob is not there, or not where the client says. Without `from`, any repository will do. */
async function mount(exchange: Exchange, names: Names): Promise<boolean> {
  const { store, query } = exchange;
  const digest = mustDigest(query.get("mount"));
  const from = query.get("from");
  if (from !== null && !(isRepository(from) && (await store.repositories.touch(storedName(from), "blobs", digest)))) return false;
  if (!(await store.blobs.touch(digest))) return false;
  await created(exchange, names, digest);
  return true;
}

async function created(exchange: Exchange, { name, repository }: Names, digest: string): Promise<void> {
  await exchange.store.repositories.link(repository, "blobs", { digest });
  answer(exchange, 201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest });
}

function lengthOf({ request }: Exchange): Pick<Piece, "length"> {
  const length = request.headers["content-length"];
  return length === undefined ? {} : { length: Number(length) };
}

/** Throws RegistryError for a range that is none, or that is not as long as the body. */
function pieceOf(exchange: Exchange): Piece {
  const { request } = exchange;
  const { length } = lengthOf(exchange);
  const header = request.headers["content-range"];
  if (header === undefined) return { stream: request, ...(length === undefined ? {} : { length }) };
  const range = parseContentRange(header);
  if (range === undefined) throw new RegistryError(400, "BLOB_UPLOAD_INVALID", `${JSON.stringify(header)} is no range`);
  const ranged = range.end - range.start + 1;
  if (length !== undefined && length !== ranged) throw new RegistryError(400, "SIZE_INVALID", `the range has ${ranged} bytes and the body ${length}`);
  return { stream: request, start: range.start, length: ranged };
}

/** A piece out of order is told where the upload is. */
async function refusalAt(
  why: UploadRefusal,
  exchange: Exchange,
  names: Names,
  { id, at }: { readonly id: string; readonly at: (size: number) => Readonly<Record<string, string>> },
): Promise<RegistryError> {
  const upload = why === "out of order" ? await exchange.store.uploads.find(names.repository, id) : undefined;
  return upload === undefined
    ? refusal(why, exchange, names)
    : new RegistryError(416, "BLOB_UPLOAD_INVALID", `the next byte of this upload is number ${upload.size}`, { headers: at(upload.size) });
}

function refusal(why: UploadRefusal, { path }: Exchange, { name }: Names): RegistryError {
  switch (why) {
    case "unknown":
      return new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", { detail: { name, path } });
    case "busy":
      return new RegistryError(409, "BLOB_UPLOAD_INVALID", "another request writes to this upload just now");
    case "too many":
      return new RegistryError(429, "TOOMANYREQUESTS", "too many uploads have been begun and not ended", { headers: { "retry-after": 10 } });
    case "out of order":
      return new RegistryError(416, "BLOB_UPLOAD_INVALID", "the piece does not follow what is there");
  }
}
