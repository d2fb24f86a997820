// Asks a server over HTTPS with node's own client, headers as they came.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Answering, Asked } from "./server.ts";

export interface HttpsTarget {
  readonly port: number;
  readonly caPem: string;
}

function headersOf({ rawHeaders }: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return headers;
}

/** The chunks of a body; a body that is cut off because nobody wants it any more just ends. */
async function* chunksOf(message: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of message) yield chunk as Uint8Array;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export function httpsClient({ port, caPem }: HttpsTarget) {
  const agent = new Agent({ ca: caPem, keepAlive: true, maxSockets: 64 });
  return {
    async ask({ method, target, headers, body }: Asked, signal: AbortSignal): Promise<Answering> {
      const length = body === undefined && method !== "POST" && method !== "PUT" ? {} : { "content-length": String(body?.length ?? 0) };
      const sent = request({ host: "127.0.0.1", port, method, path: target, headers: { ...headers, ...length }, agent, signal });
      sent.end(body);
      const [message] = (await once(sent, "response")) as [IncomingMessage];
      // What goes wrong from here on is the body's.
      sent.on("error", () => {});
      return { status: message.statusCode ?? 0, headers: headersOf(message), chunks: chunksOf(message, signal) };
    },
    close(): void {
      agent.destroy();
    },
  };
}
