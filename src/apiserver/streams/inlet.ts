// A readable that a reading loop feeds, and writes that wait: back-pressure in both directions.
import { Readable, type Writable } from "node:stream";

/** What one stream keeps for a slow reader before its connection is read no further. */
const KEPT_BYTES_MAX = 256 << 10;

/** Fed from outside. When its reader is slow, `feed` waits; when it has gone, what is fed is dropped. */
export class Inlet extends Readable {
  #room: () => void = () => {};

  constructor() {
    super({ highWaterMark: KEPT_BYTES_MAX });
  }

  override _read(): void {
    this.#room();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#room();
    done(error);
  }

  /** Resolves when more may come. The bytes are kept as they are: do not use their memory again. */
  async feed(bytes: Uint8Array): Promise<void> {
    if (this.destroyed || bytes.length === 0 || this.push(bytes)) return;
    await new Promise<void>((resolve) => (this.#room = resolve));
  }

  /** Nothing more will come. */
  finish(): void {
    if (!this.destroyed) this.push(null);
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
