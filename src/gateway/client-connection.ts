// A connection from a client: reads requests one after the other and answers in their order.
import type { Socket } from "node:net";
import type { ClientSide } from "./client-side.ts";
import type { GatewayContext } from "./context.ts";
import { Exchange } from "./exchange.ts";
import type { ForwardMemo } from "./forward-head.ts";
import { errorResponse, renderResponse } from "./own-response.ts";
import { RequestReader } from "./request-reader.ts";
import { Sender } from "./outbox.ts";
import type { Timed } from "./timer-wheel.ts";

/** A head must be complete after this time (Knative's read-header timeout). */
const HEAD_MS = 60_000;
/** A connection without requests is closed after this time. */
const IDLE_MS = 300_000;
/** How long what a client still sends is thrown away after the last response, so that it can read that response. */
const LINGER_MS = 5_000;
/** How long a gateway that drains waits for a request that may be under way. */
const DRAIN_QUIET_MS = 1_000;
/** Bytes of later requests that are read ahead. */
const AHEAD_BYTES_MAX = 64 * 1024;

export class ClientConnection implements ClientSide, Timed {
  dueMs = 0;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  readonly address: string;
  readonly isInside: boolean;
  readonly memo: ForwardMemo = { head: undefined, target: undefined, text: "" };
  readonly #context: GatewayContext;
  readonly #socket: Socket;
  readonly #sender: Sender;
  readonly #closed: (connection: ClientConnection) => void;
  readonly #reader = new RequestReader();
  #exchange: Exchange | undefined;
  #taking = false;
  #tunnel = false;
  #lingering = false;
  #paused = false;
  #gone = false;
  #quietSinceMs: number;

  constructor(context: GatewayContext, socket: Socket, from: { readonly isInside: boolean; readonly closed: (connection: ClientConnection) => void }) {
    this.#context = context;
    this.#socket = socket;
    this.#sender = new Sender(socket, context.outbox);
    this.isInside = from.isInside;
    this.#closed = from.closed;
    const address = socket.remoteAddress ?? "";
    this.address = address.startsWith("::ffff:") ? address.slice(7) : address;
    this.#quietSinceMs = context.clock.monotonicMs();
    context.counters.connections++;
    context.idles.add(this, this.#quietSinceMs + HEAD_MS);
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("drain", () => (this.#exchange === undefined ? this.#next() : this.#exchange.clientDrained()));
    socket.on("end", () => this.#left());
    socket.on("error", () => this.#left());
    socket.on("close", () => this.#left());
  }

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
    this.#socket.resume();
  }

  finished(keep: boolean): void {
    this.#exchange = undefined;
    this.#quietSinceMs = this.#context.clock.monotonicMs();
    if (!keep || this.#context.draining) return this.#close();
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

  abort(): void {
    this.#exchange = undefined;
    this.#sender.flush();
    this.#socket.destroy();
  }

  openTunnel(): void {
    this.#tunnel = true;
    const ahead = this.#reader.rest();
    if (ahead.length > 0) this.#exchange?.fromClient(ahead);
    this.resume();
  }

  /**
   * The gateway drains: after the response; when idle, now. A new connection, or one with half of a head, gets a moment: its client
   * has been let in and sends a request.
   */
  drain(): void {
    if (this.#exchange !== undefined || this.#lingering) return;
    const awaited = !this.#reader.used || this.#reader.ahead > 0;
    const untilMs = this.#quietSinceMs + DRAIN_QUIET_MS;
    if (awaited && this.#context.clock.monotonicMs() < untilMs) this.#context.idles.add(this, untilMs);
    else this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Idle and head limits, looked at lazily, so that requests need not touch the wheel. */
  expire(nowMs: number): void {
    if (this.#lingering) return this.destroy();
    if (this.#exchange !== undefined) return this.#context.idles.add(this, nowMs + HEAD_MS);
    const quietMs = nowMs - this.#quietSinceMs;
    const limitMs = this.#context.draining ? DRAIN_QUIET_MS : this.#reader.ahead > 0 ? HEAD_MS : IDLE_MS;
    if (quietMs < limitMs) return this.#context.idles.add(this, nowMs + Math.min(HEAD_MS, limitMs - quietMs));
    if (this.#reader.ahead > 0) this.#refuse(408, "request head took too long");
    else this.#close();
  }

  #read(bytes: Buffer): void {
    if (this.#lingering || this.#gone) return;
    if (this.#tunnel) {
      this.#exchange?.fromClient(bytes);
      return;
    }
    if (!this.#reader.body.done && this.#exchange !== undefined) return this.#feed(this.#exchange, this.#reader.feed(bytes));
    if (this.#exchange === undefined && this.#reader.ahead === 0) this.#quietSinceMs = this.#context.clock.monotonicMs();
    this.#reader.push(bytes);
    if (this.#exchange === undefined) this.#next();
    else if (this.#reader.ahead > AHEAD_BYTES_MAX) this.pause();
  }

  #feed(exchange: Exchange, bytes: Buffer): void {
    const { body } = this.#reader;
    if (body.failed) exchange.requestMalformed();
    else exchange.requestBody(bytes, body.done);
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
    const exchange = new Exchange(this.#context, this, head);
    this.#exchange = exchange;
    if (!reader.body.done && reader.ahead > 0) this.#feed(exchange, reader.bodyAhead());
    if (!reader.body.failed) exchange.start();
    return true;
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
    this.#exchange = undefined;
    this.#socket.destroy();
    this.#closed(this);
  }
}
