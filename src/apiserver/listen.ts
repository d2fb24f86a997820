// The HTTPS side: HTTP/2 and HTTP/1.1 on one socket, bodies with limits, streams with backpressure, a clean end.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { pipeline, Readable, type Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { constants, createGzip, gzip } from "node:zlib";
import { StatusError, type Clock, type Logger } from "#core";
import { BODY_BYTES_MAX } from "./body.ts";
import type { BodySpace } from "./body-space.ts";
import type { ApiRequest, ApiResponse, Listening, ListenOptions, Peer } from "./port.ts";
import { errorResponse } from "./responses.ts";

export interface ListenTools {
  readonly handle: (request: ApiRequest) => Promise<ApiResponse>;
  /** Whether the body is read by whoever the request is passed on to. */
  readonly passesOn: (request: Pick<ApiRequest, "method" | "target">) => boolean;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly bodies: BodySpace;
}

/** Answers above this size are compressed when the client takes gzip; Kubernetes has the same limit. */
const GZIP_FROM_BYTES = 128 << 10;
/** Longer answers are written piece by piece. */
const PIECE_BYTES = 256 << 10;
const HEADERS_BYTES_MAX = 64 << 10;
/** A client that takes longer to send its request is cut off. */
const REQUEST_TIMEOUT_MS = 60_000;
/** An HTTP/1.1 connection is kept so long for the next request; Kubernetes' has the same. */
const KEEP_ALIVE_MS = 90_000;
/** Streams that one HTTP/2 connection may have open; informers open one a kind. */
const STREAMS_MAX = 1_000;
/** A client that reads nothing of a stream for so long is cut off. */
const DRAIN_TIMEOUT_MS = 60_000;
const CONNECTIONS_MAX = 4_096;
/** Connections taken over at once: commands, forwarded ports. */
const TAKEN_OVER_MAX = 1_000;
/** How long requests may go on after `close`. */
const CLOSE_GRACE_MS = 1_000;

const compress = promisify(gzip);

/** Why the signal of a request aborts. Made once: an error that tells where it was made costs as much as reading an object. */
const GONE = new DOMException("the client has gone or has its answer", "AbortError");
const IN_TIME = new DOMException("the work is done", "AbortError");
const NO_BODY = new Uint8Array();

function peerOf(socket: TLSSocket): Peer | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (typeof subject?.CN !== "string") return undefined;
  const organizations: unknown = subject.O;
  return {
    commonName: subject.CN,
    organizations: Array.isArray(organizations) ? organizations.map(String) : typeof organizations === "string" ? [organizations] : [],
  };
}

async function bodyOf(request: Http2ServerRequest, space: { grow(bytes: number): void }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // The stream stays open when we stop reading: the refusal still has to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);
    space.grow(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(request: Pick<Http2ServerRequest, "headers">): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return headers;
}

/** The result of `work`, or a Timeout after `ms`. */
async function inTime<T>(work: Promise<T>, clock: Clock, { ms, why }: { ms: number; why: string }): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).then(() => {
    throw new StatusError("Timeout", why);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort(IN_TIME);
    await late.catch(() => {});
  }
}

/** Writes a piece and waits while the client is slower than we are, but not for ever. */
async function writePiece(response: Http2ServerResponse, piece: string | Uint8Array, { clock, signal }: { clock: Clock; signal: AbortSignal }): Promise<void> {
  if (response.write(piece)) return;
  await inTime(once(response, "drain", { signal }), clock, { ms: DRAIN_TIMEOUT_MS, why: "the client does not read" });
}

/** A document in pieces; a failure of its source ends the pieces with that. */
function compressed(body: AsyncIterable<string | Uint8Array>): AsyncIterable<Uint8Array> {
  return pipeline(Readable.from(body), createGzip({ level: constants.Z_BEST_SPEED }), () => {});
}

interface Sending {
  readonly acceptsGzip: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function send(response: Http2ServerResponse, answer: ApiResponse, { acceptsGzip, clock, signal }: Sending): Promise<void> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) headers[name] = typeof value === "string" ? value : [...value];
  const { body } = answer;
  if (typeof body === "string" || body instanceof Uint8Array) {
    let bytes = typeof body === "string" ? Buffer.from(body) : body;
    if (acceptsGzip && bytes.length > GZIP_FROM_BYTES) {
      bytes = await compress(bytes);
      headers["content-encoding"] = "gzip";
    }
    if (answer.status !== 304) headers["content-length"] = String(bytes.length);
    response.writeHead(answer.status, headers);
    // What is large is handed over as the client reads it, so that one who does not is noticed.
    let sent = 0;
    for (; bytes.length - sent > PIECE_BYTES && !signal.aborted; sent += PIECE_BYTES)
      await writePiece(response, bytes.subarray(sent, sent + PIECE_BYTES), { clock, signal });
    response.end(bytes.subarray(sent));
    return;
  }
  const isCompressed = acceptsGzip && answer.isDocument === true;
  if (isCompressed) headers["content-encoding"] = "gzip";
  response.writeHead(answer.status, headers);
  // HTTP/1.1 would keep the head until the first piece; a watch may have none for a while.
  (response as { flushHeaders?: () => void }).flushHeaders?.();
  for await (const piece of isCompressed ? compressed(body) : body) {
    if (signal.aborted) break;
    await writePiece(response, piece, { clock, signal });
  }
  response.end();
}

/** The body: whole, or as it comes for those who pass it on. */
async function contentOf(
  { clock, passesOn }: ListenTools,
  request: Http2ServerRequest,
  space: ReturnType<BodySpace["open"]>,
): Promise<Pick<ApiRequest, "body" | "upload">> {
  if (passesOn({ method: request.method, target: request.url })) return { upload: request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array> };
  // HTTP/1.1 requests come through the same interface but have no stream.
  if ((request.stream as Http2ServerRequest["stream"] | undefined)?.endAfterHeaders === true) return { body: NO_BODY };
  return { body: await inTime(bodyOf(request, space), clock, { ms: REQUEST_TIMEOUT_MS, why: "the request did not arrive in time" }) };
}

/** Refusals are answered; a request that broke off is not. */
function mustBeStatus(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  throw error;
}

/** Makes the signals of requests: each aborts when the client has gone or has its answer, all of them when the server closes. */
function signalsOf(closing: AbortSignal): (response: Http2ServerResponse) => AbortSignal {
  const open = new Set<AbortController>();
  closing.addEventListener("abort", () => open.forEach((request) => request.abort(closing.reason)), { once: true });
  return (response) => {
    const request = new AbortController();
    open.add(request);
    if (closing.aborted) request.abort(closing.reason);
    response.once("close", () => {
      open.delete(request);
      request.abort(GONE);
    });
    return request.signal;
  };
}

/** Answers one request; a client that has gone is no error. */
async function serve(tools: ListenTools, signal: AbortSignal, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const space = tools.bodies.open();
  try {
    const peer = peerOf(request.socket as TLSSocket);
    const headers = headersOf(request);
    const head = { method: request.method, target: request.url, headers, signal, ...(peer === undefined ? {} : { peer }) };
    const answer = await contentOf(tools, request, space).then(
      (content) => tools.handle({ ...head, ...content }),
      (error: unknown) => errorResponse(mustBeStatus(error)),
    );
    space.giveBack();
    const acceptsGzip = (headers["accept-encoding"] ?? "").includes("gzip");
    await send(response, answer, { acceptsGzip, clock: tools.clock, signal });
  } catch (error) {
    if (!signal.aborted) tools.logger.warn("answer not sent", { err: error });
    // HTTP/1.1 requests come through the same interface but have no stream.
    ((response.stream as Http2ServerResponse["stream"] | undefined) ?? response.socket)?.destroy();
  } finally {
    space.giveBack();
  }
}

/** The head of an answer that hands over the connection; its status is 101. */
function headText({ status, headers }: ApiResponse): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [value] : value).map((each) => `${name}: ${each}\r\n`));
  return `HTTP/1.1 ${status} Switching Protocols\r\n${lines.join("")}\r\n`;
}

interface TakenOver {
  readonly open: Set<Duplex>;
  readonly max: number;
}

/** Answers a request for another protocol: the connection goes to whoever takes it over, or ends with the refusal. */
async function serveUpgrade(tools: ListenTools, taken: TakenOver, request: IncomingMessage, socket: TLSSocket): Promise<void> {
  socket.on("error", (error) => tools.logger.debug("connection failed", { err: error }));
  try {
    const { method = "", url: target = "" } = request;
    const peer = peerOf(socket);
    const answer = await tools.handle({ method, target, headers: headersOf(request), ...(peer === undefined ? {} : { peer }) });
    if (socket.destroyed) return;
    if (answer.takeOver === undefined) return await refuse(request, socket, answer, tools.clock);
    if (taken.open.size >= taken.max) {
      const why = `the server has ${taken.max} open streams already; close some of them or try again later`;
      return await refuse(request, socket, errorResponse(new StatusError("TooManyRequests", why)), tools.clock);
    }
    taken.open.add(socket);
    socket.once("close", () => taken.open.delete(socket));
    socket.write(headText(answer));
    await answer.takeOver(socket);
  } catch (error) {
    tools.logger.warn("connection was not taken over", { err: error });
    socket.destroy();
  }
}

/** The protocol stays as it is: an ordinary answer, and the end, since the request's body was not read. */
async function refuse(request: IncomingMessage, socket: TLSSocket, answer: ApiResponse, clock: Clock): Promise<void> {
  // It brings fetch and all of its client with it: it is loaded when it is needed, not with the platform.
  const { ServerResponse } = await import("node:http");
  const gone = new AbortController();
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.once("close", () => gone.abort());
  response.once("finish", () => socket.destroySoon());
  await send(response as unknown as Http2ServerResponse, answer, { acceptsGzip: false, clock, signal: gone.signal });
}

/** HTTP/1.1 connections between two requests, which the server's own `close` would wait for. */
function idleConnections(closing: AbortSignal) {
  const idle = new Set<TLSSocket>();
  return {
    opened(socket: TLSSocket): void {
      idle.add(socket);
      socket.once("close", () => idle.delete(socket));
    },
    busy(socket: TLSSocket, response: Http2ServerResponse): void {
      idle.delete(socket);
      response.once("close", () => {
        if (closing.aborted) socket.destroySoon();
        else if (!socket.destroyed) idle.add(socket);
      });
    },
    takenOver(socket: TLSSocket): void {
      idle.delete(socket);
    },
    close(): void {
      for (const socket of idle) socket.destroySoon();
    },
  };
}

/** See `ApiServer.listen`. Rejects when the address cannot be bound. */
export async function listen(tools: ListenTools, { at, tls, takenOverMax = TAKEN_OVER_MAX }: ListenOptions): Promise<Listening> {
  const closing = new AbortController();
  const signalOf = signalsOf(closing.signal);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const secure = (given: ListenOptions["tls"]): { key: string; cert: string; ca: string } => ({ key: given.key, cert: given.cert, ca: given.clientCa });
  const server = createSecureServer({
    ...secure(tls),
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    maxHeaderSize: HEADERS_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    settings: { maxConcurrentStreams: STREAMS_MAX },
  } as Parameters<typeof createSecureServer>[0]);
  const idle = idleConnections(closing.signal);
  server.on("secureConnection", (socket: TLSSocket) => socket.alpnProtocol !== "h2" && idle.opened(socket));
  server.on("request", (request, response) => {
    if (request.httpVersionMajor === 1) idle.busy(request.socket as TLSSocket, response);
    void serve(tools, signalOf(response), request, response);
  });
  const taken: TakenOver = { open: new Set(), max: takenOverMax };
  server.on("upgrade", (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    idle.takenOver(socket);
    if (head.length > 0) socket.unshift(head);
    void serveUpgrade(tools, taken, request, socket);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("sessionError", (error) => tools.logger.debug("connection failed", { err: error }));
  server.on("tlsClientError", (error) => tools.logger.debug("tls handshake failed", { err: error }));
  server.maxConnections = CONNECTIONS_MAX;
  // The compatibility server has it, its type does not say so.
  (server as { keepAliveTimeout?: number }).keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen("fd" in at ? { fd: at.fd } : { host: at.host, port: at.port });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    renew: (next) => server.setSecureContext(secure(next)),
    async close() {
      closing.abort();
      // These would go on for ever.
      for (const connection of taken.open) connection.destroy();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Those without open requests end here, the others with their last one.
      for (const session of sessions) session.close();
      idle.close();
      const graceOver = new AbortController();
      await Promise.race([closed, tools.clock.sleep(CLOSE_GRACE_MS, graceOver.signal).catch(() => {})]);
      graceOver.abort();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
