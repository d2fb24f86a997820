// A SPDY client for tests: frames out, frames in, the data of each stream collected.
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { encodeSpdy, SpdyReader, type SpdyFrame } from "./spdy-frames.ts";
import { HeaderPacker } from "./spdy-headers.ts";

export class SpdyClient {
  readonly #socket: Duplex;
  readonly #packer = new HeaderPacker();
  readonly frames: SpdyFrame[] = [];
  readonly data = new Map<number, string>();
  readonly finished = new Set<number>();
  readonly reset = new Map<number, number>();
  ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Duplex) {
    this.#socket = socket;
    const reader = new SpdyReader();
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#take(frame);
      this.#wake();
    });
    socket.on("end", () => {
      this.ended = true;
      this.#wake();
    });
  }

  send(frame: SpdyFrame): boolean {
    return this.#socket.write(encodeSpdy(frame));
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  open(stream: number, headers: Readonly<Record<string, string>>, fin = false): void {
    this.send({ type: "synStream", stream, fin, block: this.#packer.pack(new Map(Object.entries(headers))) });
  }

  write(stream: number, text: string | Uint8Array, fin = false): boolean {
    return this.send({ type: "data", stream, fin, bytes: Buffer.from(text) });
  }

  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  drained(): Promise<unknown> {
    return once(this.#socket, "drain");
  }

  /** Waits until something that the server does has happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** The data of a stream once it has ended. */
  async all(stream: number): Promise<string> {
    await this.until(() => this.finished.has(stream) || this.reset.has(stream));
    return this.data.get(stream) ?? "";
  }

  #take(frame: SpdyFrame): void {
    this.frames.push(frame);
    if (frame.type === "rstStream") this.reset.set(frame.stream, frame.status);
    if (frame.type !== "data") return;
    this.data.set(frame.stream, (this.data.get(frame.stream) ?? "") + Buffer.from(frame.bytes).toString("latin1"));
    if (frame.fin) this.finished.add(frame.stream);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
