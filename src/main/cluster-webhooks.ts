// Listens for the AdmissionReviews of a cluster.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { badRequest, StatusError, type Logger } from "#core";
import type { AnswerReview } from "#kinds";

/** Two objects of the largest size that a cluster takes, and what is said about them. */
const BODY_BYTES_MAX = 8 << 20;

export interface ReviewListenerOptions {
  readonly answer: AnswerReview;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly keyPem: string; readonly certPem: string };
  readonly logger: Logger;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new StatusError("RequestEntityTooLarge", `the body is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (cause) {
    throw badRequest("the body is not JSON", { cause });
  }
}

/** A failure of ours becomes a plain 500; the cluster then refuses the write and says whom it has asked. */
export async function listenForReviews({ answer, host, port, tls, logger }: ReviewListenerOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const { pathname } = new URL(request.url ?? "/", "https://webhook");
      const review = await answer(pathname, await bodyOf(request));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(review));
    } catch (error) {
      const known = error instanceof StatusError;
      if (!known) logger.error("a review was not answered", { err: error });
      response.writeHead(known ? error.code : 500, { "content-type": "text/plain" }).end(known ? error.message : "internal error");
    }
  };
  const server = createServer({ key: tls.keyPem, cert: tls.certPem }, (request, response) => void respond(request, response));
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
