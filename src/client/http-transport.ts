// A transport over HTTP or HTTPS to a real API server: kept-alive connections, JSON bodies, streamed watches.
import { readFile } from "node:fs/promises";
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { fromStatus, isReason, StatusError, type Clock, type Logger, type Status, type StatusReason } from "#core";
import type { KubeObject } from "#schema";
import { apiPath } from "./api-path.ts";
import type { ServerAccess } from "./kubeconfig.ts";
import type { Transport, WatchEvent } from "./port.ts";

export interface HttpTransportOptions extends Omit<ServerAccess, "namespace"> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly userAgent: string;
  /** Idle limit of a call in milliseconds; default 32 000. */
  readonly timeoutMs?: number;
  /** Idle limit of a watch; default 180 000: bookmarks come about once a minute, so three of them are missing. */
  readonly watchIdleMs?: number;
}

const TIMEOUT_MS = 32_000;
const WATCH_IDLE_MS = 180_000;
/** A peer that is gone without a word is noticed by the kernel, too. */
const KEEP_ALIVE_MS = 30_000;
/** As client-go does it. */
const TOKEN_MS = 60_000;
const SOCKETS_MAX = 32;
const BODY_BYTES_MAX = 256 << 20;
const WATCH_LINE_BYTES_MAX = 16 << 20;
/** Answers with Retry-After are obeyed this often, each time for at most this long. */
const RETRIES_MAX = 5;
const RETRY_AFTER_MS_MAX = 10_000;

const METHODS = { get: "GET", list: "GET", create: "POST", update: "PUT", patch: "PATCH", delete: "DELETE", deletecollection: "DELETE" } as const;

const REASON_BY_CODE: Readonly<Record<number, StatusReason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Of a watch. */
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error a failed answer stands for: its Status, or the code with the start of its text. */
function errorOf(code: number, text: string): StatusError {
  const status = parseJson(text) as Partial<Status> | undefined;
  if (status?.kind === "Status" && status.reason !== undefined) return fromStatus({ code, ...status });
  return new StatusError(REASON_BY_CODE[code] ?? "InternalError", status?.message ?? (text.slice(0, 1024).trim() || `the server answered ${code}`), { code });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new StatusError("InternalError", `the answer is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Milliseconds to wait before asking again, or undefined when the answer does not invite to. */
function retryAfterMs(response: IncomingMessage): number | undefined {
  const header = response.headers["retry-after"];
  if ((response.statusCode !== 429 && response.statusCode !== 503) || header === undefined || !/^\d+$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, RETRY_AFTER_MS_MAX);
}

/** Lines of a stream, each within the limit. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > WATCH_LINE_BYTES_MAX) throw new StatusError("InternalError", "a watch event is too large");
    for (const line of lines) if (line !== "") yield line;
  }
}

type SendRequest = (exchange: Exchange) => Promise<IncomingMessage>;

/** The token as it is now: one from a file is read again after a while, and stays as it was while the file cannot be read. */
function tokenSource({ clock, token, tokenFile }: HttpTransportOptions): () => Promise<string | undefined> {
  const latest = { token, readMs: clock.monotonicMs() };
  return async () => {
    if (tokenFile === undefined || clock.monotonicMs() < latest.readMs + TOKEN_MS) return latest.token;
    latest.readMs = clock.monotonicMs();
    const text = await readFile(tokenFile, "utf8").catch(() => "");
    if (text.trim() !== "") latest.token = text.trim();
    return latest.token;
  };
}

/** How one server is reached; watches have connections to themselves. */
interface Protocol {
  readonly request: (options: RequestOptions, answered: (response: IncomingMessage) => void) => ClientRequest;
  readonly agent: Agent;
  readonly watchAgent: Agent;
}

/** Loads what speaks the protocol: `node:http` brings fetch and all of its client with it, which the platform never needs. */
async function protocolOf(secure: boolean): Promise<Protocol> {
  const { Agent: Connections, request } = secure ? await import("node:https") : await import("node:http");
  return {
    request: (options, answered) => request(options, answered),
    agent: new Connections({ keepAlive: true, maxSockets: SOCKETS_MAX }),
    watchAgent: new Connections({ keepAlive: false }),
  };
}

/** Opens connections to one server; watches have theirs to themselves. */
function connectionsTo(options: HttpTransportOptions): { readonly exchange: SendRequest; close(): void } {
  const base = new URL(options.server);
  const secure = base.protocol === "https:";
  let protocol: Promise<Protocol> | undefined;
  const tls = {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
    ...(options.insecure === true ? { rejectUnauthorized: false } : {}),
  };
  const tokenNow = tokenSource(options);
  const requestFor = ({ method, path, contentType, body, signal, timeoutMs }: Exchange, token: string | undefined): RequestOptions => ({
    method,
    hostname: base.hostname.replace(/^\[|\]$/g, ""),
    port: base.port === "" ? (secure ? 443 : 80) : Number(base.port),
    path: base.pathname.replace(/\/+$/, "") + path,
    headers: {
      accept: "application/json",
      "user-agent": options.userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(body) }),
    },
    ...(signal === undefined ? {} : { signal }),
    timeout: timeoutMs,
    ...(secure ? tls : {}),
  });
  /** Undefined when it met a kept connection that the server had closed, and may be made again: what is not made twice fails. */
  const attempt = ({ request, agent, watchAgent }: Protocol, call: Exchange, token: string | undefined): Promise<IncomingMessage | undefined> =>
    new Promise((resolve, reject) => {
      const { method, path, signal, timeoutMs } = call;
      let answer: IncomingMessage | undefined;
      const answered = (response: IncomingMessage): void => resolve((answer = response));
      const sent = request({ ...requestFor(call, token), agent: signal === undefined ? agent : watchAgent }, answered);
      sent.on("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      sent.on("timeout", () => (answer ?? sent).destroy(new StatusError("Timeout", `${method} ${path}: nothing came for ${timeoutMs} ms`)));
      sent.on("error", (cause: NodeJS.ErrnoException) => {
        // Whether a write has happened nobody knows: only who wrote can say what to do.
        if (sent.reusedSocket && method === "GET" && (cause.code === "ECONNRESET" || cause.code === "EPIPE")) resolve(undefined);
        else
          reject(cause instanceof StatusError ? cause : new StatusError("ServiceUnavailable", `${method} ${base.origin}${path}: ${cause.message}`, { cause }));
      });
      sent.end(call.body);
    });
  return {
    async exchange(call) {
      const [spoken, token] = await Promise.all([(protocol ??= protocolOf(secure)), tokenNow()]);
      // At most all kept connections are stale.
      for (let attempts = 0; attempts <= SOCKETS_MAX; attempts++) {
        const answer = await attempt(spoken, call, token);
        if (answer !== undefined) return answer;
      }
      throw new StatusError("ServiceUnavailable", `${call.method} ${base.origin}${call.path}: the server closes every connection`);
    },
    close() {
      void protocol?.then(({ agent, watchAgent }) => {
        agent.destroy();
        watchAgent.destroy();
      });
    },
  };
}

export interface HttpTransport extends Transport {
  /** A document that is no resource, for instance `/version`. */
  document(path: string): Promise<unknown>;
  /** Ends all connections. */
  close(): void;
}

/** Carries calls to one server; a closed connection or a refused one is `ServiceUnavailable`. */
export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  const { exchange, close } = connectionsTo(options);
  const closing = new AbortController();

  /** Asks again as often and as late as the server wants it, within limits; the last answer counts. */
  const answerTo = async (call: Exchange): Promise<IncomingMessage> => {
    for (let attempt = 0; ; attempt++) {
      const response = await exchange(call);
      const waitMs = retryAfterMs(response);
      if (waitMs === undefined || attempt === RETRIES_MAX) return response;
      await textOf(response);
      options.logger.debug("api server asks for patience", { code: response.statusCode ?? 0, waitMs });
      await options.clock.sleep(waitMs, call.signal ?? closing.signal);
    }
  };

  const json = async (call: Omit<Exchange, "timeoutMs">): Promise<unknown> => {
    const { method, path } = call;
    const response = await answerTo({ ...call, timeoutMs: options.timeoutMs ?? TIMEOUT_MS });
    const text = await textOf(response);
    const code = response.statusCode ?? 0;
    if (code < 200 || code > 299) throw errorOf(code, text);
    const answer = parseJson(text);
    if (answer === undefined) throw new StatusError("InternalError", `${method} ${path}: the answer is not JSON`);
    return answer;
  };

  return {
    send(call) {
      const { contentType } = call;
      const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
      return json({ method: METHODS[call.verb], path: apiPath(call), ...(contentType === undefined ? {} : { contentType }), ...body });
    },
    document: (path) => json({ method: "GET", path }),
    async *watch({ kind, namespace, query }, signal) {
      const path = apiPath({ kind, namespace, query: { ...query, watch: "true" } });
      try {
        const response = await answerTo({ method: "GET", path, signal, timeoutMs: options.watchIdleMs ?? WATCH_IDLE_MS });
        if (response.statusCode !== 200) throw errorOf(response.statusCode ?? 0, await textOf(response));
        for await (const line of linesOf(response)) {
          if (signal.aborted) return;
          yield eventOf(line);
        }
      } catch (error) {
        if (signal.aborted) return;
        throw error instanceof StatusError ? error : new StatusError("ServiceUnavailable", "the watch was cut off", { cause: error });
      }
    },
    close() {
      closing.abort();
      close();
    },
  };
}

/** An ERROR event inside a watch is thrown; a code 410 means that the window is gone. */
function eventOf(line: string): WatchEvent<KubeObject> {
  const event = parseJson(line) as { readonly type?: string; readonly object?: unknown } | undefined;
  switch (event?.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      return { type: event.type, object: event.object as KubeObject };
    case "ERROR": {
      const error = fromStatus(event.object as Partial<Status>);
      throw isReason(error, "InternalError") && error.code === 410 ? new StatusError("Expired", error.message) : error;
    }
    default:
      throw new StatusError("InternalError", "a watch line is not an event");
  }
}
