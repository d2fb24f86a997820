// HTTP to a Docker-compatible daemon: JSON calls, streamed answers, and connections that are taken over. Knows no container.
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The oldest API that has all that we use; Podman 4 and Docker 20.10 and later serve it. */
const API = "/v1.41";
/** Answers in JSON; lists of containers are the longest. */
const ANSWER_BYTES_MAX = 32 << 20;
/** Requests beside the streams; the rest waits its turn. */
const CONNECTIONS_MAX = 16;
/** A connection that nobody has used for as long is closed. */
const IDLE_MS = 15_000;

export type DaemonAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** The daemon refused (`status` is its answer), or cannot be reached (`status` 0). The message is its own. */
export class DaemonError extends Error {
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "DaemonError";
    this.status = status;
  }

  get isGone(): boolean {
    return this.status === 0;
  }
}

export interface DaemonRequest {
  readonly method: "GET" | "POST" | "DELETE" | "HEAD";
  /** Below the version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as it comes. */
  readonly body?: object | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DaemonClient {
  /** The answer's JSON; undefined for an empty one. Rejects with DaemonError. */
  call<T = unknown>(request: DaemonRequest, signal?: AbortSignal): Promise<T>;
  /** The answer as it comes. The signal ends it. */
  open(request: DaemonRequest, signal: AbortSignal): Promise<IncomingMessage>;
  /** The connection itself, after the head of the answer. */
  takeOver(request: DaemonRequest): Promise<Duplex>;
  close(): void;
}

export async function createDaemonClient(address: DaemonAddress): Promise<DaemonClient> {
  // Platforms without a daemon are many; what it brings with it is much.
  const { Agent, request: ask } = await import("node:http");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS });
  const send = (request: DaemonRequest, options: RequestOptions): ClientRequest => {
    const { method, path, query, body, headers } = request;
    const isStream = isStreamed(body);
    const json = body === undefined || isStream ? undefined : JSON.stringify(body);
    const call = ask({
      ...address,
      method,
      path: `${API}${path}${query === undefined ? "" : `?${new URLSearchParams(query).toString()}`}`,
      headers: {
        Host: "docker",
        ...(json === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(json)) }),
        ...headers,
      },
      ...options,
    });
    if (isStream) void pipeline(body, call).catch((error: unknown) => call.destroy(error as Error));
    else call.end(json);
    return call;
  };
  return {
    async call<T>(request: DaemonRequest, signal?: AbortSignal): Promise<T> {
      const response = await answerOf(send(request, { agent, ...(signal === undefined ? {} : { signal }) }));
      const text = await textOf(response);
      if (isFailure(response)) throw refused(response, text);
      return (text.trim() === "" ? undefined : JSON.parse(text)) as T;
    },
    async open(request, signal) {
      const response = await answerOf(send(request, { agent: false, signal }));
      if (isFailure(response)) throw refused(response, await textOf(response));
      return response;
    },
    takeOver(request) {
      const headers = { Connection: "Upgrade", Upgrade: "tcp", ...request.headers };
      return takenOver(send({ ...request, headers }, { agent: false }));
    },
    close: () => agent.destroy(),
  };
}

function isStreamed(body: object | undefined): body is AsyncIterable<Uint8Array> {
  return body !== undefined && Symbol.asyncIterator in body;
}

function isFailure(response: IncomingMessage): boolean {
  return (response.statusCode ?? 500) >= 400;
}

function answerOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once("response", resolve);
    // Also what breaks later, when nobody waits any more.
    call.on("error", (error) => reject(gone(error)));
  });
}

function takenOver(call: ClientRequest): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const take = (socket: Duplex, head: Buffer): void => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    };
    call.once("upgrade", (_response, socket, head) => take(socket, head));
    // Older daemons answer 200 and go on with their own framing.
    call.once("response", (response) => {
      if (isFailure(response)) return void textOf(response).then((text) => reject(refused(response, text)), reject);
      reject(new DaemonError(response.statusCode ?? 0, "the daemon does not hand over the connection"));
      response.destroy();
    });
    call.on("error", (error) => reject(gone(error)));
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new DaemonError(response.statusCode ?? 0, `an answer of the daemon is longer than ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof DaemonError ? error : gone(error as Error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refused({ statusCode = 500 }: IncomingMessage, text: string): DaemonError {
  return new DaemonError(statusCode, messageOf(text) ?? `the daemon answered ${statusCode}`);
}

/** Docker says `message`; Podman adds a `cause` of its own, which the message holds already. */
function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    return typeof message === "string" && message !== "" ? message : undefined;
  } catch {
    return text.trim() === "" ? undefined : text.trim();
  }
}

function gone(error: Error): DaemonError {
  return error instanceof DaemonError ? error : new DaemonError(0, `the container daemon cannot be reached: ${error.message}`, error);
}
