// Who we are to a registry: nothing, a password, or a token that its token service gives and that lasts a while.
import type { Clock } from "#core";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./docker-config.ts";
import { networkError, RegistryError, statusError } from "./registry-error.ts";
import { bodyOf, type Exchange, type Transport, type Trust } from "./transport.ts";

/** What a token is good for when its service does not say (distribution specification). */
const TOKEN_SECONDS = 60;
/** A token is renewed a little before its end. */
const MARGIN_MS = 5_000;
const CLIENT_ID = "eider";

interface Token {
  readonly header: string;
  /** Monotonic milliseconds. */
  readonly endsAtMs: number;
}

export interface AuthOptions {
  readonly transport: Transport;
  readonly trust: Trust;
  readonly clock: Clock;
}

/** The `Authorization` for one scope and one set of credentials, made when needed. */
export class RegistryAuth {
  readonly #options: AuthOptions;
  readonly #credentials: Credentials | undefined;
  #token: Token | undefined;

  constructor(options: AuthOptions, credentials: Credentials | undefined) {
    this.#options = options;
    this.#credentials = credentials;
  }

  /** Undefined when nothing is asked for, or there is nothing to show. Throws RegistryError when the token service refuses. */
  async header(challenge: Challenge | undefined, scope: string, signal: AbortSignal): Promise<string | undefined> {
    if (challenge === undefined) return undefined;
    const its = this.#credentials;
    if (challenge.scheme === "basic") return its === undefined ? undefined : basic(its);
    if (its?.registryToken !== undefined) return `Bearer ${its.registryToken}`;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#token === undefined || nowMs >= this.#token.endsAtMs) this.#token = await this.#fetch(challenge, challenge.scope ?? scope, signal);
    return this.#token.header;
  }

  /** The registry does not believe it any more. */
  forget(): void {
    this.#token = undefined;
  }

  async #fetch(challenge: Challenge & { readonly scheme: "bearer" }, scope: string, signal: AbortSignal): Promise<Token> {
    const its = this.#credentials;
    const asked = its?.identityToken === undefined ? byGet(challenge, scope, its) : byPost(challenge, scope, its);
    const answer = await this.#ask(asked, signal);
    // Some services only know the form of OAuth 2.
    const isUnknown = asked.method === "GET" && (answer.status === 404 || answer.status === 405);
    const { status, statusText, body, url } = isUnknown && its !== undefined ? await this.#ask(byPost(challenge, scope, its), signal) : answer;
    if (status !== 200) throw statusError({ method: asked.method, url, status, statusText, body });
    return tokenFrom(body, url, this.#options.clock.monotonicMs());
  }

  async #ask(exchange: Exchange, signal: AbortSignal) {
    const { transport, trust } = this.#options;
    try {
      const response = await transport.exchange(exchange, trust, signal);
      const body = (await bodyOf(response)).toString("utf8");
      return { status: response.statusCode ?? 0, statusText: response.statusMessage ?? "", body, url: exchange.url };
    } catch (error) {
      throw networkError(exchange.method, exchange.url, error, signal);
    }
  }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function byGet({ realm, service }: Challenge & { readonly scheme: "bearer" }, scope: string, its: Credentials | undefined): Exchange {
  const url = new URL(realm);
  url.searchParams.set("scope", scope);
  if (service !== undefined) url.searchParams.set("service", service);
  const headers = { accept: "application/json", ...(its === undefined ? {} : { authorization: basic(its) }) };
  return { method: "GET", url: url.href, headers };
}

function byPost({ realm, service }: Challenge & { readonly scheme: "bearer" }, scope: string, its: Credentials): Exchange {
  const { identityToken, username, password } = its;
  const grant: Record<string, string> =
    identityToken === undefined ? { grant_type: "password", username, password } : { grant_type: "refresh_token", refresh_token: identityToken };
  const form = new URLSearchParams({ ...grant, client_id: CLIENT_ID, scope, ...(service === undefined ? {} : { service }) });
  return { method: "POST", url: realm, headers: { accept: "application/json", "content-type": "application/x-www-form-urlencoded" }, body: form.toString() };
}

function tokenFrom(body: string, url: string, nowMs: number): Token {
  let answer: { readonly token?: unknown; readonly access_token?: unknown; readonly expires_in?: unknown };
  try {
    answer = JSON.parse(body) as typeof answer;
  } catch (error) {
    throw new RegistryError("refused", `GET ${url}: the token service did not answer in JSON`, error);
  }
  const token = answer.token ?? answer.access_token;
  if (typeof token !== "string" || token === "" || /[\r\n]/.test(token)) throw new RegistryError("refused", `GET ${url}: no token in bearer response`);
  const seconds = typeof answer.expires_in === "number" && answer.expires_in > 0 ? answer.expires_in : TOKEN_SECONDS;
  return { header: `Bearer ${token}`, endsAtMs: nowMs + Math.max(0, seconds * 1000 - MARGIN_MS) };
}
