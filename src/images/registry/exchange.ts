// One request of the registry and the ways in which it is answered.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isDigest, parseDigest } from "../digest.ts";
import type { ImageStore } from "../image-store.ts";
import { RegistryError, type Headers } from "./registry-error.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly store: ImageStore;
  /** Something may be nobody's any more. */
  readonly changed: () => void;
}

/** Without a body. */
export function answer({ response }: Exchange, status: number, headers: Headers = {}): void {
  response.writeHead(status, { ...headers, "content-length": 0 }).end();
}

export function answerJson({ response, method }: Exchange, value: unknown, headers: Headers = {}): void {
  const body = JSON.stringify(value);
  response
    .writeHead(200, { "content-type": "application/json", ...headers, "content-length": Buffer.byteLength(body) })
    .end(method === "HEAD" ? undefined : body);
}

/** Throws RegistryError 400. */
export function mustDigest(text: string | null): string {
  if (text !== null && isDigest(text)) return text;
  const unknown = text !== null && /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/.test(text) && parseDigest(text) === undefined;
  throw new RegistryError(
    400,
    "DIGEST_INVALID",
    `${JSON.stringify(text ?? "")} is no digest${unknown ? " of an algorithm that this registry knows (sha256, sha512)" : ""}`,
  );
}

export function unsupported({ method, path }: Exchange, allowed: string): RegistryError {
  return new RegistryError(405, "UNSUPPORTED", `${method} is not possible on ${path}`, { headers: { allow: allowed } });
}
