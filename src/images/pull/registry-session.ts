// One conversation with a registry about one repository: found by a ping, with the credentials that it accepts, patient with its faults.
import type { IncomingMessage } from "node:http";
import { backoffMs, type BackoffPolicy, type Clock, type Rng } from "#core";
import { challengeOf, type Challenge } from "./challenge.ts";
import type { Credentials } from "./docker-config.ts";
import type { Endpoint } from "./endpoints.ts";
import { RegistryAuth } from "./registry-auth.ts";
import { networkError, RegistryError, statusError } from "./registry-error.ts";
import { bodyOf, type Exchange, type Transport } from "./transport.ts";

export interface SessionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly rng: Rng;
}

export interface SessionTarget {
  readonly endpoint: Endpoint;
  readonly repository: string;
  /** Tried in order; without any, we are nobody. */
  readonly credentials: readonly Credentials[];
}

/** Faults that pass: answers 429 and 5xx, connections that break. */
const RETRY: BackoffPolicy = { baseMs: 500, maxMs: 10_000, jitter: 0.2 };
const RETRIES_MAX = 3;
/** A registry that asks for more patience than this is busy. */
const RETRY_AFTER_MAX_MS = 30_000;
const BROKEN = new Set(["ECONNRESET", "EPIPE", "ESILENT", "EAI_AGAIN", "ETIMEDOUT"]);
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

export class RegistrySession {
  readonly #options: SessionOptions;
  readonly #target: SessionTarget;
  readonly #base: string;
  #challenge: Challenge | undefined;
  readonly #auths: RegistryAuth[];

  private constructor(options: SessionOptions, target: SessionTarget, found: { readonly base: string; readonly challenge: Challenge | undefined }) {
    this.#options = options;
    this.#target = target;
    this.#base = found.base;
    this.#challenge = found.challenge;
    const auth = { transport: options.transport, clock: options.clock, trust: target.endpoint.trust };
    const shown = target.credentials.length === 0 ? [undefined] : target.credentials;
    this.#auths = shown.map((credentials) => new RegistryAuth(auth, credentials));
  }

  /** Asks each address of the registry whether it is one. Throws RegistryError `unreachable` with what each said. */
  static async open(options: SessionOptions, target: SessionTarget, signal: AbortSignal): Promise<RegistrySession> {
    const complaints: string[] = [];
    let cause: unknown;
    for (const base of target.endpoint.bases) {
      const url = `${base}/v2/`;
      try {
        const response = await options.transport.exchange({ method: "GET", url, headers: {} }, target.endpoint.trust, signal);
        response.resume();
        const status = response.statusCode ?? 0;
        if (status === 200 || status === 401 || status === 403) return new RegistrySession(options, target, { base, challenge: challengeFrom(response) });
        if (status === 404 || PASSING.has(status)) return new RegistrySession(options, target, { base, challenge: undefined });
        complaints.push(statusError({ method: "GET", url, status, statusText: response.statusMessage ?? "", body: "" }).message);
      } catch (error) {
        cause = error;
        complaints.push(networkError("GET", url, error, signal).message);
        if (signal.aborted) break;
      }
    }
    throw new RegistryError("unreachable", complaints.join("; "), cause);
  }

  get host(): string {
    return this.#target.endpoint.host;
  }

  /** The answer to `HEAD` or `GET` of a path below the repository with status 200 or 206. Throws RegistryError. */
  async ask(method: "HEAD" | "GET", path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    const { repository } = this.#target;
    const url = `${this.#base}/v2/${repository}/${path}`;
    let refusal: RegistryError | undefined;
    while (this.#auths.length > 0) {
      const answer = await this.#asWhom(this.#auths[0] as RegistryAuth, { method, url, headers }, signal);
      if (!(answer instanceof RegistryError)) return answer;
      refusal = answer;
      if (this.#auths.length === 1 || answer.kind !== "unauthorized") break;
      // The next credentials; those that are refused here are not shown again.
      this.#auths.shift();
    }
    throw refusal ?? new RegistryError("unauthorized", `${method} ${url}: no credentials`);
  }

  /** With one set of credentials; once more when a token has become old. A refusal is a value: others may be let in. */
  async #asWhom(auth: RegistryAuth, exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage | RegistryError> {
    for (let renewed = false; ; renewed = true) {
      let authorization: string | undefined;
      try {
        authorization = await auth.header(this.#challenge, `repository:${this.#target.repository}:pull`, signal);
      } catch (error) {
        if (error instanceof RegistryError && error.kind !== "unreachable") return error;
        throw error;
      }
      const headers = authorization === undefined ? exchange.headers : { ...exchange.headers, authorization };
      const response = await this.#patiently({ ...exchange, headers }, signal);
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) return response;
      const { method, url } = exchange;
      const body = method === "HEAD" ? "" : (await bodyOf(response).catch(() => Buffer.alloc(0))).toString("utf8");
      const refusal = statusError({ method, url, status, statusText: response.statusMessage ?? "", body });
      if (status !== 401 || renewed) return refusal;
      this.#challenge = challengeFrom(response) ?? this.#challenge;
      auth.forget();
    }
  }

  async #patiently(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    const { transport, clock, rng } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt >= RETRIES_MAX;
      let delayMs = backoffMs(RETRY, attempt, rng);
      try {
        const response = await transport.exchange(exchange, this.#target.endpoint.trust, signal);
        if (isLast || !PASSING.has(response.statusCode ?? 0)) return response;
        delayMs = Math.max(delayMs, retryAfterMs(response.headers["retry-after"], clock.wallMs()));
        if (delayMs > RETRY_AFTER_MAX_MS) return response;
        response.resume();
      } catch (error) {
        const passes = BROKEN.has((error as NodeJS.ErrnoException).code ?? "") && !signal.aborted;
        if (isLast || !passes) throw networkError(exchange.method, exchange.url, error, signal);
      }
      await clock.sleep(delayMs, signal).catch((error: unknown) => {
        throw networkError(exchange.method, exchange.url, error, signal);
      });
    }
  }
}

function challengeFrom({ headers }: IncomingMessage): Challenge | undefined {
  return challengeOf(headers["www-authenticate"]);
}

/** Seconds or a date (RFC 9110); 0 without. */
function retryAfterMs(header: string | undefined, nowWallMs: number): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowWallMs);
}
