// What a manifest refers to, read without trust. Pure.
import { isDigest } from "./digest.ts";
import type { AnyManifest, Descriptor } from "./oci.ts";

export interface References {
  /** Config, layers, blobs of artifacts. */
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  /** What the manifest is about; need not be there. */
  readonly subject: Descriptor | undefined;
}

/** Layers that may stay elsewhere: their bytes may not be handed on. */
const NON_DISTRIBUTABLE = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable|docker\.image\.rootfs\.foreign)\b/;
const REFERENCES_MAX = 10_000;

/** Why the text is no manifest, or what it says. */
export function parseManifest(text: string): AnyManifest | { readonly wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { wrong: `it is not JSON: ${(error as Error).message}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { wrong: "it is no JSON object" };
  const wrong = complaintOf(value as Readonly<Record<string, unknown>>);
  return wrong === undefined ? (value as AnyManifest) : { wrong };
}

/** Valid manifests only. */
export function referencesOf(manifest: AnyManifest): References {
  const { config, layers = [], blobs = [], manifests = [], subject } = manifest;
  return { blobs: [...(config === undefined ? [] : [config]), ...layers, ...blobs], manifests, subject };
}

export function mayBeElsewhere(descriptor: Descriptor): boolean {
  return NON_DISTRIBUTABLE.test(descriptor.mediaType);
}

function complaintOf(value: Readonly<Record<string, unknown>>): string | undefined {
  if (value["schemaVersion"] !== undefined && value["schemaVersion"] !== 2) return `schemaVersion ${JSON.stringify(value["schemaVersion"])} is not supported`;
  const media = value["mediaType"];
  if (media !== undefined && typeof media !== "string") return "mediaType is no text";
  if (value["config"] === undefined && value["manifests"] === undefined && value["blobs"] === undefined) return "it has neither config nor manifests nor blobs";
  for (const name of ["layers", "manifests", "blobs"]) {
    const list = value[name];
    if (list === undefined) continue;
    if (!Array.isArray(list)) return `${name} is no list`;
    if (list.length > REFERENCES_MAX) return `${name} has more than ${REFERENCES_MAX} entries`;
    if (!list.every(isDescriptor)) return `${name} holds something that is no descriptor`;
  }
  for (const name of ["config", "subject"]) if (value[name] !== undefined && !isDescriptor(value[name])) return `${name} is no descriptor`;
  return undefined;
}

function isDescriptor(value: unknown): value is Descriptor {
  if (typeof value !== "object" || value === null) return false;
  const { mediaType, digest, size } = value as Readonly<Record<string, unknown>>;
  return typeof mediaType === "string" && typeof digest === "string" && isDigest(digest) && Number.isSafeInteger(size) && (size as number) >= 0;
}
