// Knative's webhooks for a cluster: answers its AdmissionReviews over HTTPS, with a certificate of its own.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transport } from "#client";
import { samplePodFor } from "#controllers";
import { badRequest, StatusError, type Logger } from "#core";
import { servingCertificate, type ServingCertificate } from "#host/certificates";
import { reviewAnswerer, type AnswerReview, type ServingConfig } from "#kinds";
import type { Kind } from "#schema";
import { tryPod } from "./try-pod.ts";

/** Two objects of the largest size that a cluster takes, and what is said about them. */
const BODY_BYTES_MAX = 8 << 20;

interface ReviewListenerOptions {
  readonly answer: AnswerReview;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: ServingCertificate;
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
async function listenForReviews({ answer, host, port, tls, logger }: ReviewListenerOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
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

export interface WebhooksOptions {
  /** Of the kinds of which reviews come. */
  readonly kinds: readonly Kind[];
  /** The settings as they are when a review comes. */
  readonly config: () => ServingConfig;
  /** To the cluster; dry runs try a pod there. */
  readonly transport: Pick<Transport, "send">;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Where the cluster finds us, without a slash at the end; by default where we listen. */
  readonly url?: string;
  readonly nowWallMs: number;
  readonly logger: Logger;
}

export interface Webhooks {
  readonly url: string;
  /** The authority that vouches for us: made anew with each start, and nobody else's. */
  readonly caPem: string;
  close(): Promise<void>;
}

/** Listens; the cluster is told by `applyWebhooks`. */
export async function startWebhooks(options: WebhooksOptions): Promise<Webhooks> {
  const { config, host, kinds, logger, port, transport } = options;
  const name = options.url === undefined ? host : new URL(options.url).hostname.replace(/^\[|\]$/g, "");
  const folder = mkdtempSync(join(tmpdir(), "eider-webhooks-"));
  const tls = await servingCertificate(folder, [name], options.nowWallMs).finally(() => rmSync(folder, { recursive: true }));
  const answer = reviewAnswerer({
    kinds,
    config,
    async tryTemplate(template, namespace) {
      await tryPod(transport, samplePodFor(template, namespace, config()));
    },
  });
  const listening = await listenForReviews({ answer, host, port, tls, logger });
  const shown = host.includes(":") ? `[${host}]` : host;
  return { url: options.url ?? `https://${shown}:${listening.port}`, caPem: tls.caPem, close: listening.close };
}
