// Sends over TLS, with authorities of a destination's own where it names some; by a library, which is loaded with the first such destination.
import { createHash } from "node:crypto";
import { Agent, type Dispatcher } from "undici";
import type { Clock } from "#core";
import type { EventTarget } from "#protocol";
import { said } from "./exchange.ts";
import { sentOf, type Outgoing, type Sender, type Sent } from "./send.ts";

export interface SecureSenderOptions {
  readonly clock: Clock;
  /** Most that is read of an answer with this status. */
  readonly bodyMax: (status: number) => number;
}

/** Connections a destination. */
const CONNECTIONS_MAX = 256;
/** Destinations with authorities of their own whose connections are kept. */
const AUTHORITIES_MAX = 64;
const IDLE_MS = 10_000;

export class SecureSender implements Sender {
  readonly #options: SecureSenderOptions;
  readonly #plain = agent();
  /** By the digest of the PEM; the one that was used longest ago is first. */
  readonly #trusting = new Map<string, Agent>();

  constructor(options: SecureSenderOptions) {
    this.#options = options;
  }

  async send(outgoing: Outgoing, signal: AbortSignal): Promise<Sent> {
    const { clock } = this.#options;
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const late = clock.sleep(outgoing.timeoutMs, both).then(
      () => over.abort(new Error(`no answer within ${outgoing.timeoutMs} ms`)),
      () => undefined,
    );
    try {
      return await this.#exchange(outgoing, both);
    } catch (error) {
      return sentOf({ why: over.signal.aborted ? (over.signal.reason as Error).message : said(error) });
    } finally {
      over.abort();
      await late;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#plain, ...this.#trusting.values()].map((one) => one.destroy()));
  }

  async #exchange({ target, headers, body }: Outgoing, signal: AbortSignal): Promise<Sent> {
    const url = new URL(target.url);
    const answer = await this.#agentFor(target).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "POST",
      headers: { ...headers, host: url.host },
      body,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#read(answer);
  }

  async #read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Sent> {
    const max = this.#options.bodyMax(statusCode);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > max) break;
    }
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value = ""]) => [name, Array.isArray(value) ? value.join(", ") : value]));
    return sentOf({ status: statusCode, headers: flat, body: Buffer.concat(chunks).subarray(0, max), isCut: bytes > max });
  }

  #agentFor({ caCerts }: EventTarget): Agent {
    if (caCerts === undefined) return this.#plain;
    const digest = createHash("sha256").update(caCerts).digest("hex");
    const known = this.#trusting.get(digest) ?? agent(caCerts);
    this.#trusting.delete(digest);
    this.#trusting.set(digest, known);
    const [oldest] = this.#trusting;
    if (oldest !== undefined && this.#trusting.size > AUTHORITIES_MAX) {
      this.#trusting.delete(oldest[0]);
      void oldest[1].close();
    }
    return known;
  }
}

function agent(ca?: string): Agent {
  return new Agent({
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    ...(ca === undefined ? {} : { connect: { ca } }),
  });
}
