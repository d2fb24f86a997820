// Readables that a reading loop feeds, and writes that wait: back-pressure in both directions.
import { Readable, type Writable } from "node:stream";

/** What one stream keeps for a slow reader before its connection is read no further. */
export const KEPT_BYTES_MAX = 256 << 10;

/** Feeds a readable from outside: `more` belongs into its `_read` and its `_destroy`. */
export class Feed {
  readonly #readable: Readable;
  #room: () => void = () => {};
  #finished = false;

  constructor(readable: Readable) {
    this.#readable = readable;
  }

  more(): void {
    this.#room();
  }

  /** Resolves when more may come: at once, unless the reader is slow. When it has gone the bytes are dropped. They are kept as they are. */
  async give(bytes: Uint8Array): Promise<void> {
    if (this.#readable.destroyed || this.#finished || bytes.length === 0 || this.#readable.push(bytes)) return;
    await new Promise<void>((resolve) => (this.#room = resolve));
  }

  /** Nothing more will come. */
  finish(): void {
    if (this.#finished || this.#readable.destroyed) return;
    this.#finished = true;
    this.#readable.push(null);
  }

  get finished(): boolean {
    return this.#finished;
  }
}

/** A readable that is nothing but fed. */
export class Inlet extends Readable {
  readonly feed = new Feed(this);

  constructor() {
    super({ highWaterMark: KEPT_BYTES_MAX });
  }

  override _read(): void {
    this.feed.more();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.feed.more();
    done(error);
  }
}

/** Resolves once the bytes have left this process; rejects when the other side has gone. */
export function write(to: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error("the connection is closed"));
    if (to.destroyed) return onClose();
    to.once("close", onClose);
    to.write(bytes, (error) => {
      to.off("close", onClose);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
