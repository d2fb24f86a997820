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

/** What a client's connection reads into: the shared buffer, or one of its own while much comes. */
export class ReadSpace {
  readonly #buffers: ReadBuffers;
  /** Much comes: each read gets a buffer that can be given away. */
  streams = false;
  /** What the next read goes to. */
  buffer: Buffer;
  #own: Buffer | undefined;

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
    this.buffer = buffers.shared;
  }

  /** Gives the octets of the latest `lasting` up, so that other reads can have the buffer; without it the buffer is garbage in the end. */
  release: (() => void) | undefined;

  /** The buffer for the next read; undefined when it is the same as before. */
  next(): Buffer | undefined {
    if (this.streams) this.#own ??= this.#buffers.take();
    else this.#leaveOwn();
    const wanted = this.#own ?? this.#buffers.shared;
    if (wanted === this.buffer) return undefined;
    this.buffer = wanted;
    return wanted;
  }

  /** The `count` octets of a read, to be kept as long as anybody wants: large parts of an own buffer take the buffer with them. */
  lasting(count: number, buffer: Buffer): Buffer {
    this.release = undefined;
    const bytes = buffer.subarray(0, count);
    if (count < STREAM_BYTES) return Buffer.from(bytes);
    this.streams = true;
    if (buffer !== this.#own) return Buffer.from(bytes);
    this.#own = undefined;
    this.release = () => this.#buffers.giveBack(buffer);
    return bytes;
  }

  #leaveOwn(): void {
    if (this.#own !== undefined) this.#buffers.giveBack(this.#own);
    this.#own = undefined;
  }
}
