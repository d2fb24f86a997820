// Prometheus' scrape target without TLS and tokens, where config-observability asks for it, as Knative's programs have one each.
import { createServer, type Server } from "node:http";
import type { Clock, Logger } from "#core";
import type { ServingConfig } from "#kinds";

/** A port that is taken is tried again so often: at a hand-over the one before still has it. */
const AGAIN_MS = 5_000;
const CONNECTIONS_MAX = 16;
const LOOPBACK = "127.0.0.1";

type Export = ServingConfig["observability"]["metrics"];

export interface MetricsListenerOptions {
  /** Without an endpoint in the settings it is this port of loopback. */
  readonly port: number;
  readonly text: () => Promise<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class MetricsListener {
  readonly #options: MetricsListenerOptions;
  #protocol = "none";
  #current: { readonly of: string; readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  /** One text at a time, for all who ask meanwhile. */
  #text: Promise<string> | undefined;

  constructor(options: MetricsListenerOptions) {
    this.#options = options;
  }

  /** Listens, or ceases to, as the settings say. */
  apply({ protocol, endpoint }: Export): void {
    if (protocol !== this.#protocol && protocol !== "prometheus" && protocol !== "none") {
      this.#options.logger.warn("metrics are not pushed to collectors: let prometheus fetch them", { protocol, endpoint });
    }
    this.#protocol = protocol;
    const of = protocol === "prometheus" ? endpoint || `${LOOPBACK}:${this.#options.port}` : "";
    if ((this.#current?.of ?? "") === of) return;
    const before = this.end();
    if (of === "") return;
    const stop = new AbortController();
    this.#current = { of, stop, done: before.then(() => this.#serve(of, stop.signal)) };
  }

  async end(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.stop.abort();
    await current?.done;
  }

  async #serve(endpoint: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const { host, port } = addressOf(endpoint);
    for (let told = false; !signal.aborted;) {
      const server = this.#server();
      try {
        await listen(server, { host, port });
        logger.info("metrics are served", { endpoint });
        await aborted(signal);
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      } catch (err) {
        if (!told) logger.warn("metrics cannot be served, and will be tried again", { endpoint, err });
        told = true;
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  #server(): Server {
    const server = createServer((request, response) => {
      if (request.url?.split("?")[0] !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
        response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("404 page not found\n");
        return;
      }
      this.#text ??= this.#options.text().finally(() => (this.#text = undefined));
      this.#text.then(
        (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    server.maxConnections = CONNECTIONS_MAX;
    return server;
  }
}

/** `host:port`, `[host]:port` or `:port`. */
function addressOf(endpoint: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(endpoint);
  const host = match?.[1] ?? match?.[2] ?? "";
  return { host: host === "" ? LOOPBACK : host, port: Number(match?.[3] ?? NaN) };
}

function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => resolve());
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
