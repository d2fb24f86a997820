// Buffers that sockets read into: one shared by all small reads, and own ones for connections that stream.

export const READ_BYTES = 64 * 1024;
/** A read of at least this size makes a connection a streaming one; also the largest text that is written without a copy by libuv. */
export const STREAM_BYTES = 16 * 1024;
/** Spare buffers that are kept: 2 MB at most. */
const SPARE_MAX = 32;

/** Handlers finish with `shared` before they return; an own buffer belongs to its taker until it is given back. */
export class ReadBuffers {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }
}
