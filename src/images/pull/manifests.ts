// Manifests of a repository: which digest a tag stands for, and the manifest for this machine.
import { digestOf, isDigest, parseDigest } from "../digest.ts";
import type { ImageName } from "../image-name.ts";
import { isIndex, type AnyManifest } from "../oci.ts";
import { parseManifest } from "../references.ts";
import { choiceOf, type Platform } from "../platform-choice.ts";
import { RegistryError } from "./registry-error.ts";
import type { RegistrySession } from "./registry-session.ts";
import { bodyOf } from "./transport.ts";

const INDEX_TYPES: readonly string[] = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const MANIFEST_TYPES: readonly string[] = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const ACCEPT = { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(", ") };

export interface Document {
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface RemoteImage {
  /** What the name stands for: of an index when there is one. */
  readonly digest: string;
  /** The index, or the manifest itself when there is none. */
  readonly root: Document;
  readonly manifest: Document;
}

/** What stands after `manifests/`. */
const referenceOf = ({ tag, digest }: Pick<ImageName, "tag" | "digest">): string => digest ?? tag ?? "latest";

/** The digest that a tag stands for, without fetching anything. Throws RegistryError. */
export async function headManifest(session: RegistrySession, name: ImageName, signal: AbortSignal): Promise<string> {
  const response = await session.ask("HEAD", `manifests/${referenceOf(name)}`, ACCEPT, signal);
  response.resume();
  const digest = response.headers["docker-content-digest"];
  if (typeof digest === "string" && isDigest(digest)) return digest;
  throw new RegistryError("refused", `HEAD ${name.full}: response did not include Docker-Content-Digest header`);
}

/** The manifest for `platform`; a digest in the name must be that of what comes. Throws RegistryError. */
export async function fetchManifest(session: RegistrySession, name: ImageName, platform: Platform, signal: AbortSignal): Promise<RemoteImage> {
  const root = await fetchDocument(session, referenceOf(name), signal);
  const document = parse(root, name.full);
  if (!isIndex(document)) return { digest: root.digest, root, manifest: root };
  const chosen = choiceOf(document, platform);
  if (chosen === undefined) {
    throw new RegistryError("notFound", `no match for platform in manifest: ${name.full} has none for ${platform.os}/${platform.architecture}`);
  }
  return { digest: root.digest, root, manifest: await fetchDocument(session, chosen.digest, signal) };
}

async function fetchDocument(session: RegistrySession, reference: string, signal: AbortSignal): Promise<Document> {
  const response = await session.ask("GET", `manifests/${reference}`, ACCEPT, signal);
  const bytes = await bodyOf(response).catch((error: unknown) => {
    throw new RegistryError("unreachable", `the manifest ${reference} broke off: ${(error as Error).message}`, error);
  });
  const digest = digestOf(bytes, parseDigest(reference)?.algorithm);
  if (isDigest(reference) && reference !== digest) throw new RegistryError("damaged", `the registry gave ${digest} for the manifest ${reference}`);
  return { digest, bytes };
}

/** Checked; what it names are digests. */
export function parse({ bytes, digest }: Document, what: string): AnyManifest {
  const manifest = parseManifest(bytes.toString("utf8"));
  if ("wrong" in manifest) throw new RegistryError("damaged", `the manifest ${digest} of ${what} cannot be used: ${manifest.wrong}`);
  return manifest;
}
