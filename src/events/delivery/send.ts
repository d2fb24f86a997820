// Sends events over HTTP: names inside the cluster by way of the gateway (where Services wake from zero), all others directly.
import { createHash } from "node:crypto";
import { Agent, type Dispatcher } from "undici";
import type { Clock } from "#core";
import type { EventTarget } from "#protocol";
import type { AttemptResult } from "./retry.ts";

export interface Outgoing {
  readonly target: EventTarget;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of the whole attempt, the answer's body included. */
  readonly timeoutMs: number;
}

export interface Sent {
  readonly result: AttemptResult;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The port that deliveries send through. Never rejects: what goes wrong is a result. */
export interface Sender {
  send(outgoing: Outgoing, signal: AbortSignal): Promise<Sent>;
}

export interface HttpSenderOptions {
  readonly gateway: { readonly host: string; readonly port: number };
  /** `svc.cluster.local` */
  readonly localSuffix: string;
  readonly clock: Clock;
  /** Most that is read of an accepted answer; a longer one is a failure. */
  readonly replyBytesMax: number;
}

/** Connections a destination. The gateway is one, and holds requests for Services at zero. */
const CONNECTIONS_MAX = 256;
/** Destinations with authorities of their own whose connections are kept. */
const AUTHORITIES_MAX = 64;
const IDLE_MS = 10_000;
/** Read of an answer that tells of a failure. */
const ERROR_BYTES_MAX = 4_096;
const NOTHING = new Uint8Array();

export class HttpSender implements Sender {
  readonly #options: HttpSenderOptions;
  readonly #plain: Agent;
  /** By the digest of the PEM; the one that was used longest ago is first. */
  readonly #trusting = new Map<string, Agent>();

  constructor(options: HttpSenderOptions) {
    this.#options = options;
    this.#plain = agent();
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
      const why = over.signal.aborted ? (over.signal.reason as Error).message : said(error);
      return { result: { is: "failure", why }, headers: {}, body: NOTHING };
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
    const { gateway, localSuffix } = this.#options;
    // A name inside the cluster is resolved by nobody but the gateway.
    const isLocal = url.protocol === "http:" && url.hostname.endsWith(`.${localSuffix}`);
    const answer = await this.#agentFor(target).request({
      origin: isLocal ? `http://${gateway.host}:${gateway.port}` : url.origin,
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
    const accepted = statusCode >= 200 && statusCode < 300;
    const max = accepted ? this.#options.replyBytesMax : ERROR_BYTES_MAX;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > max) break;
    }
    if (accepted && bytes > max) return { result: { is: "failure", why: `the answer has more than ${max} bytes` }, headers: {}, body: NOTHING };
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value = ""]) => [name, Array.isArray(value) ? value.join(", ") : value]));
    const retryAfter = flat["retry-after"];
    const result: AttemptResult = { is: "answer", status: statusCode, ...(retryAfter === undefined ? {} : { retryAfter }) };
    return { result, headers: flat, body: Buffer.concat(chunks).subarray(0, max) };
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

/** Messages of system errors are empty when several addresses were tried. */
function said(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  const own = message === undefined || message === "" ? (code ?? "unknown failure") : message;
  return cause instanceof Error && cause.message !== "" ? `${own}: ${cause.message}` : own;
}
