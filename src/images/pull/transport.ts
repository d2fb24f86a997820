// One exchange of HTTP with a registry or a token service: through the proxy of the environment, with the trust that the settings give.
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { getCACertificates } from "node:tls";

/** Whose certificates are believed. */
export interface Trust {
  /** PEM, beside those of Node and of this machine. */
  readonly ca: string;
  /** Any certificate will do. */
  readonly insecure: boolean;
}

export interface Exchange {
  readonly method: "HEAD" | "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A side that says nothing for so long is as good as gone. */
const SILENCE_MS = 30_000;
const REDIRECTS_MAX = 5;
const AGENTS_MAX = 16;
const TEXT_BYTES_MAX = 4 << 20;

type Agents = { readonly http: PlainAgent; readonly https: TlsAgent };

/** Connections are kept for a few seconds, so that the parts of one pull share them. */
export class Transport {
  readonly #proxyEnv: Readonly<Record<string, string | undefined>>;
  readonly #agents = new Map<string, Agents>();

  /** `proxyEnv` is read for HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  constructor(proxyEnv: Readonly<Record<string, string | undefined>> = {}) {
    this.#proxyEnv = proxyEnv;
  }

  /** Follows redirects; credentials are not shown to another host. Rejects with Node's own errors. */
  async exchange(its: Exchange, trust: Trust, signal: AbortSignal): Promise<IncomingMessage> {
    const headers: Record<string, string> = { "user-agent": "eider", ...its.headers };
    let url = its.url;
    for (let hops = 0; ; hops++) {
      const response = await this.#send({ ...its, url, headers }, trust, signal);
      const { location } = response.headers;
      const status = response.statusCode ?? 0;
      if (status < 300 || status > 399 || location === undefined || hops >= REDIRECTS_MAX) return response;
      response.resume();
      const next = new URL(location, url);
      if (next.protocol !== "https:" && next.protocol !== "http:") throw new Error(`unsupported protocol scheme ${JSON.stringify(next.protocol.slice(0, -1))}`);
      if (next.origin !== new URL(url).origin) delete headers["authorization"];
      url = next.href;
    }
  }

  #send({ method, url, headers, body }: Exchange, trust: Trust, signal: AbortSignal): Promise<IncomingMessage> {
    const isTls = url.startsWith("https:");
    const agents = this.#agentsFor(trust);
    const all = body === undefined ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
      const options = { method, headers: all, signal, timeout: SILENCE_MS };
      const sent = isTls ? tlsRequest(url, { ...options, agent: agents.https }, resolve) : plainRequest(url, { ...options, agent: agents.http }, resolve);
      sent.on("timeout", () => sent.destroy(Object.assign(new Error("i/o timeout"), { code: "ESILENT" })));
      sent.on("error", reject);
      sent.end(body);
    });
  }

  #agentsFor({ ca, insecure }: Trust): Agents {
    const key = `${insecure}\n${ca}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    // Settings change seldom; what they no longer say is let go of.
    if (this.#agents.size >= AGENTS_MAX) this.close();
    const shared = { keepAlive: true, keepAliveMsecs: 1_000, timeout: SILENCE_MS, maxFreeSockets: 4, proxyEnv: this.#proxyEnv };
    const cas = [...getCACertificates("default"), ...getCACertificates("system"), ...(ca === "" ? [] : [ca])];
    const made = { http: new PlainAgent(shared), https: new TlsAgent({ ...shared, ca: cas, rejectUnauthorized: !insecure }) };
    this.#agents.set(key, made);
    return made;
  }

  /** Closes connections that nobody uses. */
  close(): void {
    for (const { http, https } of this.#agents.values()) {
      http.destroy();
      https.destroy();
    }
    this.#agents.clear();
  }
}

/** The whole body, which may not be larger than documents are. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > TEXT_BYTES_MAX) throw new Error(`the answer is larger than ${TEXT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
