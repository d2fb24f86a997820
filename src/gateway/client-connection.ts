// A connection from a client: reads requests one after the other and answers in their order.
import type { Socket } from "node:net";
import type { ClientSide } from "./request/client-side.ts";
import type { GatewayContext } from "./context.ts";
import { Exchange } from "./request/exchange.ts";
import { noMemo } from "./http/forward-head.ts";
import { Sender } from "./sockets/outbox.ts";
import { BODY_TOO_LARGE, errorResponse, renderResponse } from "./http/own-response.ts";
import { parseProxyHeader } from "./http/proxy-protocol.ts";
import { ReadSpace, STREAM_BYTES } from "./sockets/read-buffers.ts";
import { readInto, type BufferedReader } from "./sockets/read-into.ts";
import type { RequestHead } from "./http/request-head.ts";
import { RequestReader } from "./http/request-reader.ts";
import type { Timed } from "./sockets/timer-wheel.ts";

/** A head must be complete after this time (Knative's read-header timeout). */
const HEAD_MS = 60_000;
/** A client that waits for the permission to send a body gets ours when the application gave none in this time (Go's proxies do the same). */
const CONTINUE_MS = 1_000;
/** A connection without requests is closed after this time. */
const IDLE_MS = 300_000;
/** How long what a client still sends is thrown away after the last response, so that it can read that response. */
const LINGER_MS = 5_000;
/** How long a gateway that drains waits for a request that may be under way. */
const DRAIN_QUIET_MS = 1_000;
/** Bytes of later requests that are read ahead. */
const AHEAD_BYTES_MAX = 64 * 1024;

const OWNER = Symbol("owner");
type Owned = Socket & { [OWNER]: ClientConnection };

export class ClientConnection implements ClientSide, BufferedReader, Timed {
  dueMs = 0;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  address: string;
  isTrusted: boolean;
  readonly isInside: boolean;
  readonly memo = noMemo();
  readonly #context: GatewayContext;
  readonly #socket: Socket;
  readonly #sender: Sender;
  readonly #closed: (connection: ClientConnection) => void;
  readonly #reader = new RequestReader();
  readonly #space: ReadSpace;
  #exchange: Exchange | undefined;
  /** The one that ended last: once it is blank it serves the next request. */
  #spare: Exchange | undefined;
  #taking = false;
  #tunnel = false;
  #lingering = false;
  #paused = false;
  #gone = false;
  /** The first octets are to be a PROXY header. */
  #awaitsProxy: boolean;
  /** This request's client was told to go on by us. */
  #continued = false;
  /** The host of whose places this connection's request has one. */
  #place: string | undefined;
  #quietSinceMs: number;

  constructor(context: GatewayContext, socket: Socket, from: { readonly isInside: boolean; readonly closed: (connection: ClientConnection) => void }) {
    this.#context = context;
    this.#socket = socket;
    this.#sender = new Sender(socket, context.outbox);
    this.isInside = from.isInside;
    this.#closed = from.closed;
    const address = socket.remoteAddress ?? "";
    this.address = address.startsWith("::ffff:") ? address.slice(7) : address;
    this.isTrusted = context.trusted.trusts(this.address);
    this.#awaitsProxy = context.clients.proxyProtocol === "required" && !from.isInside;
    this.#quietSinceMs = context.clock.monotonicMs();
    context.counters.connections++;
    context.idles.add(this, this.#quietSinceMs + HEAD_MS);
    this.#space = new ReadSpace(context.buffers);
    readInto(socket, this);
    (socket as Owned)[OWNER] = this;
    socket.on("drain", ClientConnection.#drained);
    for (const end of ["end", "error", "close"]) socket.on(end, ClientConnection.#ended);
    if (this.#awaitsProxy && !this.isTrusted) this.#dismiss();
  }

  // One of each for all sockets: closures would be a tenth of what a connection holds.

  static readonly #drained = function (this: Owned): void {
    const connection = this[OWNER];
    if (connection.#exchange === undefined) connection.#next();
    else connection.#exchange.clientDrained();
  };

  static readonly #ended = function (this: Owned): void {
    this[OWNER].#left();
  };

  write(data: string | Buffer, written?: () => void): boolean {
    if (this.#gone) {
      written?.();
      return true;
    }
    return this.#sender.write(data, written);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#context.clients.bodyIdleMs > 0) this.#quietSinceMs = this.#context.clock.monotonicMs();
    this.#socket.resume();
  }

  limitBody(bytesMax: number): boolean {
    const { body } = this.#reader;
    body.limit = bytesMax;
    return !body.tooLarge;
  }

  repeats(head: RequestHead): boolean {
    return this.#reader.repeats(head);
  }

  takePlace(host: string, requestsMax: number): boolean {
    if (!this.#context.places.take(host, requestsMax)) return false;
    this.#place = host;
    return true;
  }

  #exchangeOver(): void {
    this.#exchange = undefined;
    if (this.#place === undefined) return;
    this.#context.places.giveBack(this.#place);
    this.#place = undefined;
  }

  finished(keep: boolean): void {
    this.#quietSinceMs = this.#exchange?.endedMs ?? this.#context.clock.monotonicMs();
    this.#spare = keep && this.#exchange?.outcome === "answered" ? this.#exchange : undefined;
    this.#exchangeOver();
    if (!keep) return this.#close();
    // The client was told that it may go on.
    if (this.#context.draining && this.#reader.ahead === 0) this.drain();
    this.#next();
  }

  /** The next request, unless the client has yet to read the answers to those before. */
  #next(): void {
    if (this.#lingering || this.#gone) return;
    if (this.#clogged) return this.pause();
    if (this.#reader.ahead > 0) this.#take();
    if (this.#exchange === undefined ? !this.#clogged : this.#reader.ahead <= AHEAD_BYTES_MAX) this.resume();
  }

  get #clogged(): boolean {
    return this.#socket.writableNeedDrain;
  }

  abort(reset: boolean): void {
    this.#exchangeOver();
    this.#sender.flush();
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  openTunnel(): void {
    this.#tunnel = true;
    const ahead = this.#reader.rest();
    if (ahead.length > 0) this.#exchange?.fromClient(ahead);
    this.resume();
  }

  /**
   * The gateway drains: after the response; when idle, once it was quiet. A new connection, or one with half of a head, gets a
   * moment at least: its client has been let in and sends a request.
   */
  drain(): void {
    if (this.#exchange !== undefined || this.#lingering) return;
    const untilMs = this.#quietSinceMs + this.#drainQuietMs;
    if (this.#context.clock.monotonicMs() < untilMs) this.#context.idles.add(this, untilMs);
    else this.#close();
  }

  get #drainQuietMs(): number {
    const awaited = !this.#reader.used || this.#reader.ahead > 0;
    return Math.max(this.#context.drainIdleMs, awaited ? DRAIN_QUIET_MS : 0);
  }

  /** The gateway ends in some seconds. */
  lastCall(): void {
    this.#exchange?.lastCall();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Idle and head limits, looked at lazily, so that requests need not touch the wheel. */
  expire(nowMs: number): void {
    if (this.#lingering) return this.destroy();
    if (this.#exchange !== undefined) return this.#watch(this.#exchange, nowMs);
    const quietMs = nowMs - this.#quietSinceMs;
    const limitMs = this.#context.draining ? this.#drainQuietMs : this.#awaitsProxy || this.#reader.ahead > 0 ? HEAD_MS : IDLE_MS;
    // Who is quiet for so long has no exchange at hand.
    this.#spare = undefined;
    if (quietMs < limitMs) return this.#context.idles.add(this, nowMs + Math.min(HEAD_MS, limitMs - quietMs));
    if (this.#awaitsProxy) this.#dismiss();
    else if (this.#reader.ahead > 0) this.#refuse(408, "request head took too long");
    else this.#close();
  }

  /** Looks after a request whose body may not be whole: who waits for permission gets it, who stalls is refused. */
  #watch(exchange: Exchange, nowMs: number): void {
    const { idles, clients } = this.#context;
    if (this.#tunnel || this.#reader.body.done) return idles.add(this, nowMs + HEAD_MS);
    if (exchange.awaitsContinue && !this.#continued) {
      if (exchange.wrote || !(nowMs - exchange.grantedMs >= CONTINUE_MS)) return idles.add(this, nowMs + CONTINUE_MS);
      this.#continued = true;
      this.#quietSinceMs = nowMs;
      this.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (clients.bodyIdleMs === 0) return idles.add(this, nowMs + HEAD_MS);
    const quietMs = this.#paused ? 0 : nowMs - this.#quietSinceMs;
    if (quietMs < clients.bodyIdleMs) idles.add(this, nowMs + clients.bodyIdleMs - quietMs);
    else exchange.requestRefused(408, "request body took too long");
  }

  get buffer(): Buffer {
    return this.#space.buffer;
  }

  nextBuffer(): Buffer | undefined {
    return this.#space.next();
  }

  /** Octets of a buffer that the next read may fill again: what is kept of them is copied or taken over. */
  read(count: number, buffer: Buffer): void {
    if (this.#lingering || this.#gone) return;
    if (this.#awaitsProxy) return this.#readProxyHeader(Buffer.from(buffer.subarray(0, count)));
    const reader = this.#reader;
    const space = this.#space;
    if (this.#tunnel) {
      space.streams = count >= STREAM_BYTES;
      if (space.streams) this.#exchange?.fromClient(space.lasting(count, buffer), space.release);
      else this.#exchange?.fromClient(buffer.toString("latin1", 0, count));
      return;
    }
    if (!reader.body.done && this.#exchange !== undefined) {
      if (this.#context.clients.bodyIdleMs > 0) this.#quietSinceMs = this.#context.clock.monotonicMs();
      this.#feed(this.#exchange, reader.feed(space.lasting(count, buffer)), space.release);
      if (reader.body.done) space.streams = false;
      if (reader.ahead > 0) reader.keep();
      return;
    }
    this.#readHeads(buffer, count);
    if (reader.ahead > 0) reader.keep();
  }

  #readHeads(bytes: Buffer, count: number): void {
    const reader = this.#reader;
    const begins = reader.ahead === 0;
    reader.push(bytes, count);
    if (this.#exchange === undefined) this.#next();
    // The rest of a head must come in time; a request that is whole needs no clock.
    if (this.#exchange === undefined) {
      if (begins && reader.ahead > 0) this.#quietSinceMs = this.#context.clock.monotonicMs();
    } else if (reader.ahead > AHEAD_BYTES_MAX) this.pause();
  }

  #feed(exchange: Exchange, bytes: Buffer, release?: () => void): void {
    const { body } = this.#reader;
    if (!body.failed) exchange.requestBody(bytes, body.done, release);
    else if (body.tooLarge) exchange.requestRefused(413, BODY_TOO_LARGE);
    else exchange.requestRefused(400, "400 malformed chunked body");
  }

  #readProxyHeader(bytes: Buffer): void {
    this.#reader.push(bytes);
    const ahead = this.#reader.rest();
    const header = parseProxyHeader(ahead);
    if (header === "malformed") return this.#dismiss();
    if (header === "incomplete") return this.#reader.push(ahead);
    this.#awaitsProxy = false;
    if (header.address !== undefined) {
      this.address = header.address;
      this.isTrusted = this.#context.trusted.trusts(header.address);
    }
    if (ahead.length > header.end) this.#readHeads(ahead.subarray(header.end), ahead.length - header.end);
  }

  /** Ends a connection of somebody who speaks no HTTP, or has no business here. */
  #dismiss(): void {
    this.#context.counters.malformed++;
    this.destroy();
  }

  /** Takes requests as long as they are answered at once; a request that waits ends the loop. */
  #take(): void {
    if (this.#taking) return;
    this.#taking = true;
    while (this.#exchange === undefined && this.#reader.ahead > 0 && !this.#lingering && !this.#gone && !this.#clogged) {
      if (!this.#takeOne()) break;
    }
    this.#taking = false;
  }

  /** One request from what was read; false when its head is not complete. */
  #takeOne(): boolean {
    const reader = this.#reader;
    const head = reader.take();
    if (head === undefined) return reader.fault !== undefined && this.#refuse(reader.fault.status, reader.fault.reason);
    const exchange = this.#spare?.isBlank === true ? this.#spare : new Exchange(this.#context, this);
    this.#spare = undefined;
    this.#exchange = exchange;
    exchange.begin(head);
    if (!reader.body.done) this.#beginBody(exchange, head.expectsContinue);
    if (!reader.body.failed) exchange.start();
    return true;
  }

  /** Octets of the body may have come with the head; limits of time are armed when there are any. */
  #beginBody(exchange: Exchange, expectsContinue: boolean): void {
    const { idles, clients, clock } = this.#context;
    if (expectsContinue || clients.bodyIdleMs > 0) {
      this.#continued = false;
      this.#quietSinceMs = clock.monotonicMs();
      idles.add(this, this.#quietSinceMs + (expectsContinue ? CONTINUE_MS : clients.bodyIdleMs));
    }
    if (this.#reader.ahead > 0) this.#feed(exchange, Buffer.from(this.#reader.bodyAhead()));
  }

  /** Answers what is no request, and closes. */
  #refuse(status: number, reason: string): false {
    this.#context.counters.malformed++;
    this.#context.counters.response(status);
    const response = errorResponse(status, `${status} ${reason}`);
    this.write(renderResponse(response, { wallMs: this.#context.clock.wallMs(), connection: "close", isHead: false }));
    this.#close();
    return false;
  }

  #close(): void {
    if (this.#lingering || this.#gone) return;
    this.#lingering = true;
    this.#reader.rest();
    this.#context.idles.add(this, this.#context.clock.monotonicMs() + LINGER_MS);
    this.#sender.flush();
    this.#socket.end();
    this.resume();
  }

  #left(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#context.idles.remove(this);
    this.#exchange?.clientGone();
    this.#exchangeOver();
    this.#socket.destroy();
    this.#closed(this);
  }
}

/** Answers a connection that is one too many, and closes it. */
export function refuseConnection(socket: Socket, context: GatewayContext): void {
  context.counters.connectionsRefused++;
  context.counters.response(503);
  const response = errorResponse(503, "503 too many connections");
  socket.on("error", () => socket.destroy());
  socket.end(renderResponse(response, { wallMs: context.clock.wallMs(), connection: "close", isHead: false }), "latin1", () => socket.destroy());
}
