// Small writes of one turn of the event loop, made one after the other at its end: a program that sleeps is woken by the first of them
// and finds the others when it looks, where a write now and then would wake it each time.
import type { Socket } from "node:net";
import { STREAM_BYTES } from "./read-buffers.ts";
import { handleOf, isLate, type Handle, type WrittenTo } from "./write-now.ts";

/** So many connections are written to together; the first of them should not wait for a long turn. */
const TOGETHER_MAX = 64;

/** What is used of a socket. */
export type Writes = WrittenTo & Pick<Socket, "write" | "writableLength">;

/** One a thread. */
export class Outbox {
  /** Filled up to `#size`, and not shortened: turn by turn the places are used again. */
  #waiting: (Sender | undefined)[] = [];
  #flushed: (Sender | undefined)[] = [];
  #size = 0;
  #isDue = false;
  readonly #turnEnds = (): void => {
    this.#isDue = false;
    this.flush();
  };

  /** Flushes `sender` at the end of this turn at the latest. */
  add(sender: Sender): void {
    this.#waiting[this.#size++] = sender;
    if (this.#size >= TOGETHER_MAX) return this.flush();
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#turnEnds);
  }

  flush(): void {
    const size = this.#size;
    const waiting = this.#waiting;
    this.#waiting = this.#flushed;
    this.#flushed = waiting;
    this.#size = 0;
    for (let index = 0; index < size; index++) {
      waiting[index]?.flush();
      waiting[index] = undefined;
    }
  }
}

/** The way out of one connection: all that is written to its socket goes through here. */
export class Sender {
  readonly #socket: Writes;
  readonly #outbox: Outbox;
  #handle: Handle | undefined;
  /** Text that waits for the end of the turn. */
  #text = "";
  /** The socket's stream was given something, and may not have sent it all. */
  #streams = false;
  /** A write past the stream is not through: what comes goes the way that keeps count of what waits. */
  #late = false;

  constructor(socket: Writes, outbox: Outbox) {
    this.#socket = socket;
    this.#outbox = outbox;
  }

  /**
   * Takes latin1 text or bytes, in order. Text waits for the end of the turn as long as it is little and the socket has nothing to send.
   * False when the caller should wait for the socket's `drain`; `written` is called once the bytes are not needed any more.
   */
  write(data: string | Buffer, written?: () => void): boolean {
    const waiting = this.#text;
    if (typeof data === "string" && written === undefined && waiting.length + data.length < STREAM_BYTES && !this.#isBehind()) {
      this.#text = waiting + data;
      if (waiting === "" && data !== "") this.#outbox.add(this);
      return true;
    }
    if (waiting !== "") this.flush();
    return this.#stream(data, written);
  }

  /** What was taken last is not written yet. */
  get waits(): boolean {
    return this.#text !== "";
  }

  /** Writes what waits; nothing once the socket is destroyed. */
  flush(): void {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    const handle = (this.#handle ??= handleOf(this.#socket));
    if (handle === undefined || this.#late || this.#isBehind()) {
      if (!this.#socket.destroyed) this.#stream(text);
      return;
    }
    const result = handle.writeLatin1String(null, text);
    if (result !== 0) this.#late = isLate(this.#socket, result, () => (this.#late = false));
  }

  #stream(data: string | Buffer, written?: () => void): boolean {
    this.#streams = true;
    return typeof data === "string" ? this.#socket.write(data, "latin1", written) : this.#socket.write(data, written);
  }

  #isBehind(): boolean {
    if (this.#streams) this.#streams = this.#socket.writableLength > 0;
    return this.#streams;
  }
}
