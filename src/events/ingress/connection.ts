// One connection that brings events: requests one after the other, each read whole and then answered.
import type { Socket } from "node:net";
import {
  readInto,
  RequestReader,
  Sender,
  Unchunker,
  type BufferedReader,
  type Outbox,
  type ReadBuffers,
  type RequestHead,
  type Timed,
  type TimerWheel,
} from "#gateway/wire";
import { headerRecord } from "../header-record.ts";
import type { Headers } from "../cloudevents/http-message.ts";
import type { FirstLook, Place } from "./first-look.ts";

/** What a request gets. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who looks at requests and takes what they bring. */
export interface Taker {
  look(head: Pick<RequestHead, "method" | "target">, headers: Headers): FirstLook;
  /** Makes room for a body; false when there is none. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** The status of the answer; never rejects. */
  take(place: Place, headers: Headers, body: Uint8Array): Promise<number>;
  /** The whole head of an answer. */
  textOf(answer: Answer, closes: boolean): string;
}

export interface Surroundings {
  readonly taker: Taker;
  readonly bodyBytesMax: number;
  readonly buffers: ReadBuffers;
  readonly outbox: Outbox;
  readonly deadlines: TimerWheel;
  readonly nowMs: () => number;
}

/** From the first octet of a head to its last. */
const HEAD_MS_MAX = 10_000;
/** The same of a whole request. */
const REQUEST_MS_MAX = 300_000;
/** What a client still sends is thrown away so long, that it can read why it was refused. */
const LINGER_MS_MAX = 5_000;
/** Of later requests, read while one is answered. */
const AHEAD_BYTES_MAX = 64 << 10;
/** Counted at least for a body, and at first for one of unknown length. */
const BODY_BYTES_LEAST = 1_024;
const NOTHING = Buffer.alloc(0);

/** A request whose body is being read, or that waits for its answer. */
interface Open {
  readonly head: RequestHead;
  readonly headers: Headers;
  readonly place: Place;
  /** Room that was made for the body, in octets. */
  reserved: number;
  readonly parts: Buffer[];
  /** Of the body so far. */
  bytes: number;
  readonly unchunker: Unchunker | undefined;
}

export class IngressConnection implements BufferedReader, Timed {
  dueMs = 0;
  bucket = -1;
  before: Timed | undefined = undefined;
  after: Timed | undefined = undefined;

  readonly buffer: Buffer;
  readonly #socket: Socket;
  readonly #around: Surroundings;
  readonly #sender: Sender;
  readonly #reader = new RequestReader();
  #open: Open | undefined;
  /** Since when a request is not whole; NaN while there is none. */
  #sinceMs = NaN;
  /** Nothing is taken any more; what comes is thrown away. */
  #ends = false;
  #draining = false;
  #paused = false;
  #gone = false;

  constructor(socket: Socket, around: Surroundings, closed: (connection: IngressConnection) => void) {
    this.#socket = socket;
    this.#around = around;
    this.#sender = new Sender(socket, around.outbox);
    this.buffer = around.buffers.shared;
    readInto(socket, this);
    socket.on("end", () => this.#clientEnds());
    socket.on("drain", () => this.#goOn());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#gone = true;
      around.deadlines.remove(this);
      if (this.#open !== undefined && !this.#reader.body.done) this.#forget(this.#open);
      closed(this);
    });
  }

  nextBuffer(): undefined {
    return undefined;
  }

  read(count: number, buffer: Buffer): void {
    if (this.#ends || this.#gone) return;
    const reader = this.#reader;
    if (this.#open === undefined || reader.body.done) reader.push(buffer, count);
    else this.#keep(this.#open, reader.feed(buffer.subarray(0, count)));
    this.#goOn();
    if (reader.ahead > 0) reader.keep();
  }

  /** A request under way is answered; then, or at once, the connection ends. */
  drain(): void {
    this.#draining = true;
    if (this.#open === undefined) this.#socket.destroy();
  }

  expire(nowMs: number): void {
    if (this.#ends) return void this.#socket.destroy();
    if (Number.isNaN(this.#sinceMs)) return;
    const limitMs = this.#open === undefined ? HEAD_MS_MAX : REQUEST_MS_MAX;
    if (nowMs - this.#sinceMs < limitMs) return this.#around.deadlines.add(this, this.#sinceMs + limitMs);
    this.#refuse(408);
  }

  #goOn(): void {
    const reader = this.#reader;
    while (this.#open === undefined && reader.ahead > 0 && !this.#ends && !this.#socket.writableNeedDrain) {
      if (!this.#takeOne()) break;
    }
    this.#watch();
    this.#pauseWhen(!this.#ends && (reader.ahead > AHEAD_BYTES_MAX || this.#socket.writableNeedDrain));
  }

  /** A request that is not whole must become so in time. */
  #watch(): void {
    const { deadlines, nowMs } = this.#around;
    const isWhole = this.#open === undefined ? this.#reader.ahead === 0 : this.#reader.body.done;
    if (this.#ends || this.#gone || isWhole === Number.isNaN(this.#sinceMs)) return;
    this.#sinceMs = isWhole ? NaN : nowMs();
    if (isWhole) deadlines.rest(this);
    else deadlines.add(this, this.#sinceMs + HEAD_MS_MAX);
  }

  #pauseWhen(isFull: boolean): void {
    if (isFull === this.#paused) return;
    this.#paused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }

  /** One request of what was read; false when its head is not whole. */
  #takeOne(): boolean {
    const reader = this.#reader;
    const head = reader.take();
    if (head === undefined) {
      if (reader.fault !== undefined) this.#refuse(reader.fault.status);
      return false;
    }
    const { taker, bodyBytesMax } = this.#around;
    const headers = headerRecord(head.text, head.fields);
    const look = taker.look(head, headers);
    if ("status" in look) return this.#answerEarly(head, look);
    reader.body.limit = bodyBytesMax;
    if (reader.body.tooLarge) return this.#answerEarly(head, { status: 413 });
    const reserved = Math.max(BODY_BYTES_LEAST, head.framing === "chunked" ? 0 : head.framing);
    if (!taker.reserve(reserved)) return this.#answerEarly(head, { status: 429 });
    const unchunker = head.framing === "chunked" ? new Unchunker() : undefined;
    const open: Open = { head, headers, place: look.place, reserved, parts: [], bytes: 0, unchunker };
    this.#open = open;
    if (reader.body.done) this.#serve(open);
    else {
      if (head.expectsContinue && reader.ahead === 0) this.#sender.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (reader.ahead > 0) this.#keep(open, reader.bodyAhead());
    }
    return true;
  }

  /** Without its body, which nobody reads: that the connection goes on, there must be none. */
  #answerEarly({ keepAlive }: RequestHead, answer: Answer): boolean {
    if (!this.#reader.body.done) this.#refuse(answer.status, answer.headers);
    else this.#write(answer, keepAlive);
    return !this.#ends;
  }

  /** Octets of the body, which are valid during the call. */
  #keep(open: Open, octets: Buffer): void {
    const { body } = this.#reader;
    if (body.failed) {
      this.#forget(open);
      return this.#refuse(body.tooLarge ? 413 : 400);
    }
    const chunk = { bytes: octets, from: 0, to: octets.length, done: body.done, release: undefined };
    const content = open.unchunker === undefined ? Buffer.from(octets) : open.unchunker.contentOf(chunk).bytes;
    if (content.length > 0) open.parts.push(content);
    open.bytes += content.length;
    if (!this.#hasRoom(open)) return this.#refuse(429);
    if (body.done) this.#serve(open);
  }

  /** A body of unknown length gets twice the room when it needs more. */
  #hasRoom(open: Open): boolean {
    const { bytes, reserved } = open;
    if (bytes <= reserved) return true;
    if (!this.#around.taker.reserve(2 * bytes - reserved)) return false;
    open.reserved = 2 * bytes;
    return true;
  }

  #serve(open: Open): void {
    const { parts, place, headers } = open;
    const body = parts.length === 1 ? (parts[0] ?? NOTHING) : Buffer.concat(parts);
    void this.#around.taker.take(place, headers, body).then((status) => {
      this.#forget(open);
      if (this.#gone) return;
      this.#write({ status }, open.head.keepAlive);
      this.#goOn();
    });
  }

  #forget(open: Open): void {
    if (this.#open !== open) return;
    this.#open = undefined;
    this.#around.taker.release(open.reserved);
  }

  #write(answer: Answer, keepAlive: boolean): void {
    const closes = !keepAlive || this.#draining;
    this.#sender.write(this.#around.taker.textOf(answer, closes));
    if (closes) this.#end();
  }

  /** The answer to what is not read to its end. */
  #refuse(status: number, headers?: Readonly<Record<string, string>>): void {
    if (this.#open !== undefined) this.#forget(this.#open);
    this.#write({ status, ...(headers === undefined ? {} : { headers }) }, false);
  }

  #end(): void {
    const { deadlines, nowMs } = this.#around;
    this.#ends = true;
    this.#sender.flush();
    this.#socket.end();
    this.#pauseWhen(false);
    deadlines.add(this, nowMs() + LINGER_MS_MAX);
  }

  /** It may wait for the answer to what it has sent. */
  #clientEnds(): void {
    if (this.#open === undefined || !this.#reader.body.done || this.#ends) this.#socket.destroy();
    else this.#draining = true;
  }
}
