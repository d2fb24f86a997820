// Reads a request's body up to a limit.
import type { IncomingMessage } from "node:http";

export type Body = { readonly octets: Uint8Array } | { readonly refused: 400 | 413 };

/** 413 as soon as it is known, which a Content-Length tells at once; 400 when the client went away. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Body> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return { refused: 413 };
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return { refused: 413 };
      chunks.push(chunk);
    }
  } catch {
    return { refused: 400 };
  }
  return { octets: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
}
