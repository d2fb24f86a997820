// The server's side of a SPDY/3.1 connection: streams that the client opens, each a Duplex, over one connection.
import { Duplex } from "node:stream";
import type { Clock } from "#core";
import { endWhenIdle, linger } from "./idle.ts";
import { Feed, KEPT_BYTES_MAX, write } from "./inlet.ts";
import { encodeSpdy, GOAWAY, RST, SpdyError, SpdyReader, type SpdyFrame } from "./spdy-frames.ts";
import { HeaderInflater, HeaderPacker, type SpdyHeaders } from "./spdy-headers.ts";
import { SendWindows } from "./spdy-windows.ts";

/** Streams of one connection; a forwarded connection needs two. */
const STREAMS_MAX = 1_000;
const DATA_BYTES_MAX = 64 << 10;
/** A reader that has taken so much is told to the client, who may send as much again. */
const UPDATE_BYTES = 32 << 10;

type Send = (...frames: readonly SpdyFrame[]) => Promise<void>;

/** One stream. Destroying it before both sides have ended resets it. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly feed = new Feed(this);
  readonly #send: Send;
  readonly #windows: SendWindows;
  #taken = 0;

  constructor(id: number, headers: SpdyHeaders, { send, windows }: { readonly send: Send; readonly windows: SendWindows }) {
    super({ readableHighWaterMark: KEPT_BYTES_MAX, allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#send = send;
    this.#windows = windows;
    windows.begin(id);
    // Whoever uses the stream learns of its end otherwise.
    this.on("error", () => undefined);
  }

  /** A piece from the client; resolves when more may come. */
  async receive(bytes: Uint8Array): Promise<void> {
    await this.feed.give(bytes);
    this.#taken += bytes.length;
    if (this.#taken < UPDATE_BYTES || this.destroyed) return;
    const taken = this.#taken;
    this.#taken = 0;
    await this.#send({ type: "windowUpdate", stream: this.id, bytes: taken }, { type: "windowUpdate", stream: 0, bytes: taken });
  }

  override _read(): void {
    this.feed.more();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#sendAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.#send({ type: "data", stream: this.id, fin: true, bytes: new Uint8Array(0) }).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.feed.more();
    this.#windows.forget(this.id);
    if (!this.readableEnded || !this.writableFinished) void this.#send({ type: "rstStream", stream: this.id, status: RST.cancel }).catch(() => undefined);
    done(error);
  }

  async #sendAll(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const room = await this.#windows.take(this.id, Math.min(chunk.length - at, DATA_BYTES_MAX));
      if (room === 0) throw new Error("the stream has ended");
      await this.#send({ type: "data", stream: this.id, fin: false, bytes: chunk.subarray(at, at + room) });
      at += room;
    }
  }
}

export interface SpdyOptions {
  readonly clock: Clock;
  /** A stream has been opened; false refuses it. Its reply has been sent by the time anything can be written to it. */
  readonly onStream: (stream: SpdyStream) => boolean;
}

/** The client wants nothing more of a stream. */
export class StreamReset extends Error {
  constructor() {
    super("the client has reset the stream");
  }
}

export class SpdyConnection {
  readonly #connection: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #windows = new SendWindows();
  readonly #inflater = new HeaderInflater();
  readonly #packer = new HeaderPacker();
  readonly #idle: { touch(): void };
  #lastStream = 0;
  #pings = 0;
  #ending = false;

  constructor(connection: Duplex, options: SpdyOptions) {
    this.#connection = connection;
    this.#options = options;
    // Every stream that writes waits for the end of the connection, too.
    connection.setMaxListeners(STREAMS_MAX + 10);
    const ping = (): Promise<void> => this.#send({ type: "ping", id: (this.#pings += 2) });
    this.#idle = endWhenIdle(connection, { clock: options.clock, ping });
  }

  /** Serves until the client has gone, or breaks the protocol. Never rejects; every stream is destroyed then. */
  async run(): Promise<void> {
    const reader = new SpdyReader();
    try {
      for await (const chunk of this.#connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        for (const frame of reader.push(chunk)) await this.#take(frame);
      }
    } catch (error) {
      await this.close(error instanceof SpdyError ? GOAWAY.protocolError : GOAWAY.internalError);
    } finally {
      this.#ending = true;
      for (const stream of this.#streams.values()) stream.destroy(new Error("the client has gone"));
      this.#inflater.close();
      if (!this.#connection.writableEnded) this.#connection.end();
    }
  }

  /** Nothing more comes from us. What the client still sends is passed over. */
  async close(status: number = GOAWAY.ok): Promise<void> {
    if (this.#ending) return;
    await this.#send({ type: "goAway", lastStream: this.#lastStream, status }).catch(() => undefined);
    this.#ending = true;
    linger(this.#connection, this.#options.clock);
  }

  async #send(...frames: readonly SpdyFrame[]): Promise<void> {
    if (this.#ending) throw new Error("the connection is closed");
    if (frames[0]?.type === "data") this.#idle.touch();
    await write(this.#connection, Buffer.concat(frames.map(encodeSpdy)));
  }

  async #take(frame: SpdyFrame): Promise<void> {
    if (this.#ending) return;
    switch (frame.type) {
      case "synStream":
        return this.#open(frame);
      case "data":
        return this.#data(frame);
      case "rstStream":
        return void this.#streams.get(frame.stream)?.destroy(new StreamReset());
      case "ping":
        // Even numbers are ours: an answer.
        return frame.id % 2 === 0 ? undefined : this.#send(frame);
      case "settings":
        return frame.windowBytes === undefined ? undefined : this.#windows.initial(frame.windowBytes);
      case "windowUpdate":
        return this.#windows.add(frame.stream, frame.bytes);
      case "headers":
        // Nobody needs them, but the next block does.
        await this.#unpack(frame.block);
        return frame.fin ? this.#streams.get(frame.stream)?.feed.finish() : undefined;
      case "synReply":
        throw new SpdyError("a client replies to a stream that was never opened");
      case "goAway":
        return this.#whenAllEnded();
    }
  }

  async #unpack(block: Uint8Array): Promise<SpdyHeaders> {
    try {
      return await this.#inflater.unpack(block);
    } catch (error) {
      throw new SpdyError((error as Error).message);
    }
  }

  async #open({ stream: id, fin, block }: Extract<SpdyFrame, { type: "synStream" }>): Promise<void> {
    const headers = await this.#unpack(block);
    if (id % 2 === 0 || id <= this.#lastStream) return this.#send({ type: "rstStream", stream: id, status: RST.protocolError });
    this.#lastStream = id;
    if (this.#streams.size >= STREAMS_MAX) return this.#send({ type: "rstStream", stream: id, status: RST.refusedStream });
    this.#idle.touch();
    const stream = new SpdyStream(id, headers, { send: (...frames) => this.#send(...frames), windows: this.#windows });
    this.#streams.set(id, stream);
    stream.once("close", () => this.#streams.delete(id));
    if (fin) stream.feed.finish();
    // Data before the reply would be lost: the reply is on its way first.
    const replied = this.#send({ type: "synReply", stream: id, fin: false, block: this.#packer.pack(new Map()) });
    if (!this.#options.onStream(stream)) stream.destroy();
    await replied;
  }

  async #data({ stream: id, fin, bytes }: Extract<SpdyFrame, { type: "data" }>): Promise<void> {
    const stream = this.#streams.get(id);
    // One that has ended here may still be sent to by a client that does not know it yet.
    if (stream === undefined) return id <= this.#lastStream ? undefined : this.#send({ type: "rstStream", stream: id, status: RST.invalidStream });
    this.#idle.touch();
    if (stream.feed.finished) return void stream.destroy(new Error("the client goes on after the end of its stream"));
    await stream.receive(bytes);
    if (fin) stream.feed.finish();
  }

  #whenAllEnded(): void {
    if (this.#streams.size === 0) return void this.close();
    for (const stream of this.#streams.values()) stream.once("close", () => this.#streams.size === 0 && void this.close());
  }
}
