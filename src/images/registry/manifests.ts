// Manifests: read and written by tag and by digest; what they refer to has to be in the repository.
import type { IncomingMessage } from "node:http";
import { digestOf, isDigest, parseDigest, type Algorithm } from "../digest.ts";
import { isTag } from "../image-name.ts";
import type { ImageStore } from "../image-store.ts";
import { DOCUMENT_BYTES_MAX, isIndex, MANIFEST_TYPE, INDEX_TYPE, type AnyManifest, type Descriptor } from "../oci.ts";
import { mayBeElsewhere, parseManifest, referencesOf } from "../references.ts";
import { answer, unsupported, type Exchange } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";

interface Target {
  /** As the client calls the repository, and as the store does. */
  readonly name: string;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

const TAGS_AT_ONCE_MAX = 50;

export async function serveManifest(exchange: Exchange, target: Target): Promise<void> {
  const { reference } = target;
  if (!isTag(reference) && !isDigest(reference)) {
    if (exchange.method === "PUT")
      throw new RegistryError(400, reference.includes(":") ? "DIGEST_INVALID" : "MANIFEST_INVALID", `${reference} is neither a tag nor a digest`);
    throw unknown(reference);
  }
  switch (exchange.method) {
    case "GET":
    case "HEAD":
      return read(exchange, target);
    case "PUT":
      return write(exchange, target);
    case "DELETE":
      return remove(exchange, target);
    default:
      throw unsupported(exchange, "GET, HEAD, PUT, DELETE");
  }
}

async function read(exchange: Exchange, { repository, reference }: Target): Promise<void> {
  const { store, request, response, method } = exchange;
  const digest = isDigest(reference) ? reference : store.tags.get(`${repository}:${reference}`);
  const known = digest !== undefined && (await store.repositories.touch(repository, "manifests", digest)) && (await store.blobs.touch(digest));
  const pushedAs = known ? await store.repositories.mediaType(repository, digest) : undefined;
  if (digest === undefined || pushedAs === undefined) throw unknown(reference);
  const bytes = await store.blobs.read(digest, DOCUMENT_BYTES_MAX);
  const headers = { "docker-content-digest": digest, etag: `"${digest}"`, "content-type": pushedAs === "" ? typeOf(bytes) : pushedAs };
  if (request.headers["if-none-match"] === `"${digest}"`) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, "content-length": bytes.length }).end(method === "HEAD" ? undefined : bytes);
}

function typeOf(bytes: Buffer): string {
  const manifest = JSON.parse(bytes.toString("utf8")) as AnyManifest;
  return manifest.mediaType ?? (isIndex(manifest) ? INDEX_TYPE : MANIFEST_TYPE);
}

async function write(exchange: Exchange, target: Target): Promise<void> {
  const { store, request, query } = exchange;
  const { name, repository, reference } = target;
  if (!store.repositories.fits(`${repository}:${reference}`)) throw new RegistryError(400, "NAME_INVALID", `the name ${name}:${reference} is too long`);
  const bytes = await bodyOf(request);
  const byDigest = isDigest(reference);
  const algorithm: Algorithm = byDigest ? (parseDigest(reference)?.algorithm ?? "sha256") : "sha256";
  const digest = digestOf(bytes, algorithm);
  if (byDigest && digest !== reference) throw new RegistryError(400, "DIGEST_INVALID", `the manifest has the digest ${digest}`);
  const extra = query.getAll("tag");
  if (extra.length > TAGS_AT_ONCE_MAX || !extra.every(isTag)) throw new RegistryError(400, "MANIFEST_INVALID", "the parameters tag are no tags, or too many");
  const mediaType = request.headers["content-type"]?.split(";")[0]?.trim() ?? "";
  const manifest = mustManifest(bytes.toString("utf8"), mediaType);
  await mustBeThere(store, repository, manifest);
  await store.blobs.put(bytes, algorithm);
  const { subject } = manifest;
  if (subject !== undefined) await store.repositories.addReferrer(repository, subject.digest, referrerOf(manifest, { digest, size: bytes.length, mediaType }));
  await store.repositories.link(repository, "manifests", { digest, mediaType });
  const tags = [...(byDigest ? [] : [reference]), ...extra];
  for (const tag of tags) await moveTag(exchange, `${repository}:${tag}`, digest);
  if (tags.length === 0) exchange.changed();
  exchange.response.setHeaders(new Map(extra.length === 0 ? [] : [["oci-tag", extra]]));
  answer(exchange, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject === undefined ? {} : { "oci-subject": subject.digest }),
  });
}

/** What the tag stood for before may be nobody's now, but not at once: somebody may have just resolved it. */
async function moveTag({ store, changed }: Exchange, full: string, digest: string): Promise<void> {
  const before = store.tags.get(full);
  if (before === digest) return;
  if (before !== undefined) {
    await store.blobs.touch(before);
    changed();
  }
  await store.tags.set(full, digest);
}

async function remove(exchange: Exchange, { repository, reference }: Target): Promise<void> {
  const { store } = exchange;
  if (!isDigest(reference)) {
    if (store.tags.get(`${repository}:${reference}`) === undefined) throw unknown(reference);
    await store.tags.remove(`${repository}:${reference}`);
  } else {
    if (!(await store.repositories.unlink(repository, "manifests", reference))) throw unknown(reference);
    for (const tag of await store.tags.ofRepository(repository)) {
      const full = `${repository}:${tag}`;
      if (store.tags.get(full) === reference) await store.tags.remove(full);
    }
    const text = (await store.blobs.read(reference, DOCUMENT_BYTES_MAX).catch(() => undefined))?.toString("utf8");
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest !== undefined && "subject" in manifest && manifest.subject !== undefined)
      await store.repositories.removeReferrer(repository, manifest.subject.digest, reference);
  }
  exchange.changed();
  answer(exchange, 202);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = new RegistryError(413, "SIZE_INVALID", `a manifest may have ${DOCUMENT_BYTES_MAX} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > DOCUMENT_BYTES_MAX) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > DOCUMENT_BYTES_MAX) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function mustManifest(text: string, mediaType: string): AnyManifest {
  const parsed = parseManifest(text);
  if ("wrong" in parsed) throw new RegistryError(400, "MANIFEST_INVALID", `the manifest is invalid: ${parsed.wrong}`);
  if (parsed.mediaType !== undefined && mediaType !== "" && mediaType !== "application/json" && parsed.mediaType !== mediaType)
    throw new RegistryError(400, "MANIFEST_INVALID", `the manifest says that it is ${parsed.mediaType}, and was sent as ${mediaType}`);
  return parsed;
}

/** Config, layers and manifests have to be known to the repository, and stay so for a while; the subject need not be there. */
async function mustBeThere(store: ImageStore, repository: string, manifest: AnyManifest): Promise<void> {
  const { blobs, manifests } = referencesOf(manifest);
  const missing: string[] = [];
  for (const { list, kind } of [
    { list: blobs, kind: "blobs" },
    { list: manifests, kind: "manifests" },
  ] as const) {
    for (const each of list) {
      if (mayBeElsewhere(each)) continue;
      const known = (await store.repositories.touch(repository, kind, each.digest)) && (await store.blobs.touch(each.digest));
      if (!known) missing.push(each.digest);
    }
  }
  if (missing.length === 0) return;
  throw new RegistryError(404, "MANIFEST_BLOB_UNKNOWN", `the manifest refers to what is not in the repository: ${missing.slice(0, 5).join(", ")}`, {
    detail: missing.slice(0, 100).map((digest) => ({ digest })),
  });
}

function referrerOf(
  manifest: AnyManifest,
  { digest, size, mediaType }: { readonly digest: string; readonly size: number; readonly mediaType: string },
): Descriptor {
  const artifactType = manifest.artifactType ?? manifest.config?.mediaType;
  return {
    mediaType: manifest.mediaType ?? mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

function unknown(reference: string): RegistryError {
  return new RegistryError(404, "MANIFEST_UNKNOWN", "manifest unknown to registry", { detail: { reference } });
}
