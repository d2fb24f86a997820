// Digests of content: the algorithms we know, and what a text must look like to be one of theirs.
import { createHash, type Hash } from "node:crypto";

/** Both are registered in the image specification; tags, builds and pods use the first. */
export const ALGORITHMS = ["sha256", "sha512"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface ParsedDigest {
  readonly algorithm: Algorithm;
  readonly hex: string;
}

const DIGEST = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/;

/** Undefined when the text is no digest of an algorithm that we know. */
export function parseDigest(text: string): ParsedDigest | undefined {
  const match = DIGEST.exec(text);
  if (match === null) return undefined;
  return { algorithm: (match[1] ?? match[3]) as Algorithm, hex: match[2] ?? match[4] ?? "" };
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function hasherOf(algorithm: Algorithm): Hash {
  return createHash(algorithm);
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** `sha256-<hex>`: a digest as a file's name. */
export function fileNameOf(digest: string): string {
  return digest.replace(":", "-");
}

/** The digest that a file's name stands for; undefined for other files. */
export function digestOfFile(name: string): string | undefined {
  const digest = name.replace("-", ":");
  return isDigest(digest) ? digest : undefined;
}
