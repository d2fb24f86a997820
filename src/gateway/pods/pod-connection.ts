// A connection to a pod: writes requests, parses responses, and tells the exchange that it serves.
import { connect, type Socket } from "node:net";
import type { Clock } from "#core";
import { BodyTracker } from "../http/body-tracker.ts";
import { findHeadEnd, HEAD_BYTES_MAX } from "../http/head-scan.ts";
import { Sender, type Outbox } from "../sockets/outbox.ts";
import { STREAM_BYTES, type ReadBuffers } from "../sockets/read-buffers.ts";
import { readInto, type BufferedReader } from "../sockets/read-into.ts";
import type { ResponseHead, ResponseHeads } from "../http/response-head.ts";
import type { Framing } from "../http/request-head.ts";
import type { Timed, TimerWheel } from "../sockets/timer-wheel.ts";

/** Idle connections are closed after this time, or a second before the application said that it would close them. */
const IDLE_MS = 60_000;
/** A write of this size reaches the pod whole or not at all: it fits into one packet of the smallest network. */
const PIECE_BYTES = 1200;
/** Informational responses before the final one: they go to the client without back-pressure. */
const INFORMATIONAL_MAX = 100;
/** Idle connections that a pod may have per thread. */
export const IDLE_PER_POD_MAX = 256;

/** What a connection tells about the request that it carries. Byte ranges are valid during the call only. */
export interface ResponseSink {
  /** How the body of the response to this request is framed, given its head. */
  framingOf(head: ResponseHead): Framing;
  /** 1xx but 101. */
  informational(head: ResponseHead): void;
  /** The final head, with what of the body came along. */
  responseBegan(head: ResponseHead, body: Chunk): void;
  responseBody(body: Chunk): void;
  /** 101: from now on bytes are relayed; `body` is what came behind the head. */
  upgraded(head: ResponseHead, body: Chunk): void;
  tunnelData(body: Chunk): void;
  /** The pod closed a tunnel in order. */
  tunnelEnded(): void;
  /** The connection can take more again. */
  podDrained(): void;
  /** No (whole) response will come. `fresh` is false when it had served before; `untouched` when nothing of a response came. */
  podFailed(failure: PodFailure): void;
}

/** Bytes `[from, to)` of a read; `own` when the taker may keep the buffer and must call `release` once it is written. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly done: boolean;
  readonly release: (() => void) | undefined;
}

export interface PodFailure {
  readonly error: Error | undefined;
  readonly connected: boolean;
  readonly fresh: boolean;
  readonly untouched: boolean;
  /** The pod had closed the connection before the request reached it: no application has seen it. */
  readonly unsent: boolean;
  readonly malformed: boolean;
}

/** What all connections of a thread share. */
export interface Surroundings {
  readonly buffers: ReadBuffers;
  readonly outbox: Outbox;
  readonly idles: TimerWheel;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** Where a connection goes to. */
export interface Reached {
  readonly address: { readonly host: string; readonly port: number };
  readonly heads: ResponseHeads;
}

const OWNER = Symbol("owner");
type Owned = Socket & { [OWNER]: PodConnection };

export class PodConnection implements BufferedReader, Timed {
  dueMs = 0;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  readonly tracker = new BodyTracker();
  #connected = false;
  #fresh = true;
  #closed = false;
  readonly #socket: Socket;
  readonly #sender: Sender;
  readonly #pod: Reached;
  readonly #around: Surroundings;
  #sink: ResponseSink | undefined;
  /** The pool that it waits in. */
  #pool: PodConnection[] | undefined;
  #tunnel = false;
  #inBody = false;
  #informational = 0;
  /** Writes for this request; one that may arrive in pieces counts as two. */
  #writes = 0;
  #idleSinceMs = NaN;
  /** How long it may be idle from then on. */
  #idleMaxMs = IDLE_MS;
  #partial: Buffer | undefined;
  #own: Buffer | undefined;
  /** What the next read goes to. */
  buffer: Buffer;

  constructor(pod: Reached, around: Surroundings) {
    this.#pod = pod;
    this.#around = around;
    this.buffer = around.buffers.shared;
    this.#socket = connect({ ...pod.address, noDelay: true });
    readInto(this.#socket, this);
    this.#sender = new Sender(this.#socket, around.outbox);
    (this.#socket as Owned)[OWNER] = this;
    this.#socket.on("connect", PodConnection.#opened);
    this.#socket.on("end", PodConnection.#closing);
    this.#socket.on("error", PodConnection.#broken);
    this.#socket.on("close", PodConnection.#gone);
    this.#socket.on("drain", PodConnection.#drained);
  }

  // One of each for all sockets, see the client's connections.

  static readonly #opened = function (this: Owned): void {
    this[OWNER].#connected = true;
  };

  static readonly #closing = function (this: Owned): void {
    this[OWNER].#ended();
  };

  static readonly #broken = function (this: Owned, error: Error): void {
    this[OWNER].#failed(error);
  };

  static readonly #gone = function (this: Owned): void {
    this[OWNER].#failed(undefined);
  };

  static readonly #drained = function (this: Owned): void {
    this[OWNER].#sink?.podDrained();
  };

  nextBuffer(): Buffer | undefined {
    const wanted = this.#own ?? this.#around.buffers.shared;
    if (wanted === this.buffer) return undefined;
    this.buffer = wanted;
    return wanted;
  }

  /** Resolves true once connected, false when that failed. */
  connected(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#socket.once("connect", () => resolve(true));
      this.#socket.once("close", () => resolve(false));
    });
  }

  get usable(): boolean {
    return !this.#closed && this.#sink === undefined;
  }

  /** Serves `sink` until `release` or `destroy`. */
  serve(sink: ResponseSink): void {
    this.#sink = sink;
    this.#pool = undefined;
    this.#informational = 0;
    this.#writes = 0;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** Takes latin1 text or bytes; false when the sender should wait for `podDrained`. */
  write(data: string | Buffer, written?: () => void): boolean {
    this.#writes += data.length <= PIECE_BYTES ? 1 : 2;
    return this.#sender.write(data, written);
  }

  /** Several writes at once. */
  cork(writes: () => void): void {
    this.#socket.cork();
    writes();
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Goes back to the pool after a whole response, or is closed when the application closes or the pool is full. */
  release(pool: PodConnection[], head: ResponseHead, nowMs: number): void {
    this.#sink = undefined;
    const idleMs = Math.min(IDLE_MS, head.keepAliveSeconds === undefined ? IDLE_MS : head.keepAliveSeconds * 1000 - 1000);
    if (!head.keepAlive || idleMs <= 0 || this.#closed || pool.length >= IDLE_PER_POD_MAX) return this.destroy();
    this.#idleSinceMs = nowMs;
    this.#idleMaxMs = idleMs;
    this.park(pool);
  }

  /** Waits in `pool`; for a connection that has just been made, too. */
  park(pool: PodConnection[]): void {
    if (Number.isNaN(this.#idleSinceMs)) this.#idleSinceMs = this.#around.clock.monotonicMs();
    this.#fresh = false;
    this.#pool = pool;
    pool.push(this);
    if (this.bucket < 0) this.#around.idles.add(this, this.#idleSinceMs + this.#idleMaxMs);
  }

  /** Whether the application may still be trusted to keep it open. */
  isStale(nowMs: number): boolean {
    return this.idleForMs(nowMs) >= this.#idleMaxMs;
  }

  /** How long it has waited in its pool. */
  idleForMs(nowMs: number): number {
    return nowMs - this.#idleSinceMs;
  }

  destroy(): void {
    this.#closed = true;
    this.#sink = undefined;
    this.#leavePool();
    this.#around.idles.remove(this);
    this.#returnOwn();
    this.#socket.destroy();
  }

  /** The idle limit; looked at lazily, so that requests need not touch the wheel. */
  expire(nowMs: number): void {
    if (this.#pool === undefined) this.#around.idles.add(this, nowMs + IDLE_MS);
    else if (this.isStale(nowMs)) this.destroy();
    else this.#around.idles.add(this, this.#idleSinceMs + this.#idleMaxMs);
  }

  #leavePool(): void {
    const pool = this.#pool;
    this.#pool = undefined;
    const index = pool?.indexOf(this) ?? -1;
    if (index >= 0) pool?.splice(index, 1);
  }

  /** Octets of a buffer that the next read may fill again. */
  read(count: number, bytes: Buffer): void {
    const sink = this.#sink;
    if (sink === undefined) this.destroy();
    else if (this.#tunnel) sink.tunnelData(this.#chunk(bytes, 0, count, false));
    else if (this.#inBody) this.#readBody(sink, bytes, 0, count);
    else this.#readHead(sink, bytes, count);
  }

  #readHead(sink: ResponseSink, read: Buffer, count: number): void {
    const joined = this.#partial === undefined ? read : Buffer.concat([this.#partial, read.subarray(0, count)]);
    const to = this.#partial === undefined ? count : joined.length;
    this.#partial = undefined;
    let from = 0;
    while (from < to) {
      const again = this.#pod.heads.again(joined, from, to);
      const end = again === undefined ? findHeadEnd(joined, from, to) : from + again.text.length;
      if (end === -2 || (end < 0 ? to : end) - from > HEAD_BYTES_MAX) return this.#malformed();
      if (end < 0) {
        this.#partial = Buffer.from(joined.subarray(from, to));
        return;
      }
      const head = again ?? this.#pod.heads.parse(joined.toString("latin1", from, end));
      if (head === undefined) return this.#malformed();
      if (head.status >= 200 || head.status === 101) return this.#begin(sink, head, { bytes: joined, from: end, to });
      if (++this.#informational > INFORMATIONAL_MAX) return this.#malformed();
      sink.informational(head);
      from = end;
    }
  }

  #begin(sink: ResponseSink, head: ResponseHead, rest: { readonly bytes: Buffer; readonly from: number; readonly to: number }): void {
    if (head.status === 101) {
      this.#tunnel = true;
      sink.upgraded(head, this.#chunk(rest.bytes, rest.from, rest.to, false));
      return;
    }
    const framing = sink.framingOf(head);
    // A body that came whole need not be followed: most do.
    if (framing === rest.to - rest.from) return sink.responseBegan(head, this.#chunk(rest.bytes, rest.from, rest.to, true));
    this.tracker.begin(framing);
    const end = this.tracker.feed(rest.bytes, rest.from, rest.to);
    if (this.tracker.failed) return this.#malformed();
    this.#inBody = !this.tracker.done;
    // What comes behind a response nobody asked for.
    if (this.tracker.done && end < rest.to) this.#closed = true;
    sink.responseBegan(head, this.#chunk(rest.bytes, rest.from, end, this.tracker.done));
  }

  #readBody(sink: ResponseSink, bytes: Buffer, from: number, to: number): void {
    const end = this.tracker.feed(bytes, from, to);
    if (this.tracker.failed) return this.#malformed();
    const done = this.tracker.done;
    if (done) this.#inBody = false;
    if (done && end < to) this.#closed = true;
    sink.responseBody(this.#chunk(bytes, from, end, done));
    if (!done && !this.#closed && this.#own === undefined && to - from >= STREAM_BYTES) this.#own = this.#around.buffers.take();
    else if (done) this.#returnOwn();
  }

  /** A large part of an own buffer is handed over whole and the next read gets another. */
  #chunk(bytes: Buffer, from: number, to: number, done: boolean): Chunk {
    if (bytes !== this.#own || to - from < STREAM_BYTES) return { bytes, from, to, done, release: undefined };
    this.#own = done ? undefined : this.#around.buffers.take();
    return { bytes, from, to, done, release: () => this.#around.buffers.giveBack(bytes) };
  }

  #returnOwn(): void {
    if (this.#own !== undefined) this.#around.buffers.giveBack(this.#own);
    this.#own = undefined;
  }

  #ended(): void {
    const sink = this.#sink;
    if (sink !== undefined && this.#tunnel) return sink.tunnelEnded();
    if (sink !== undefined && this.#inBody && this.tracker.untilClose) {
      this.#inBody = false;
      this.#closed = true;
      sink.responseBody({ bytes: this.#around.buffers.shared, from: 0, to: 0, done: true, release: undefined });
      return;
    }
    this.#failed(undefined);
  }

  #malformed(): void {
    this.#report({ error: undefined, connected: true, fresh: this.#fresh, untouched: false, unsent: false, malformed: true });
  }

  #failed(error: Error | undefined): void {
    const untouched = !this.#inBody && this.#partial === undefined && !this.#tunnel;
    const unsent = this.#sink !== undefined && untouched && this.#writes === 1 && this.#metClosedDoor(error);
    this.#report({ error, connected: this.#connected, fresh: this.#fresh, untouched, unsent, malformed: false });
  }

  /**
   * Whether the only write of the request was not made yet, or came after the pod had closed. Then the write itself failed; or the pod's kernel refused
   * it behind the end of stream that we see now, and refuses any other write. After an end of stream that answers a request, or
   * stands for a pod that goes on reading, a write succeeds; the empty line it sends means nothing to HTTP (RFC 9112 2.2).
   */
  #metClosedDoor(error: Error | undefined): boolean {
    if (this.#sender.waits) return true;
    if (error !== undefined) return (error as NodeJS.ErrnoException).syscall === "write";
    if (!this.#socket.readableEnded) return false;
    this.#socket.write("\r\n", "latin1");
    return this.#socket.errored !== null;
  }

  #report(failure: PodFailure): void {
    const sink = this.#sink;
    this.destroy();
    sink?.podFailed(failure);
  }
}
