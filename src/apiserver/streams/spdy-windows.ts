// How much may be sent: SPDY/3.1's windows, of each stream and of the connection, for clients that keep account of them.
//
// The Go library of Kubernetes' clients never updates a window: held to the first 64 kB, every large transfer would stand still.
// So the account is kept from the start, but only a client that has once told a window is held to it; for all others the connection's own flow control has to do.

const INITIAL_BYTES = 64 << 10;
const CONNECTION = 0;

export class SendWindows {
  /** Bytes sent, less the updates, by stream. */
  readonly #used = new Map<number, number>([[CONNECTION, 0]]);
  #initial = INITIAL_BYTES;
  #counts = false;
  #changed = Promise.withResolvers<void>();

  begin(stream: number): void {
    this.#used.set(stream, 0);
  }

  /** Waits for room; answers how many of `wanted` bytes may go, and has them taken off. 0: the stream has ended. */
  async take(stream: number, wanted: number): Promise<number> {
    while (this.#used.has(stream)) {
      const room = Math.min(wanted, this.#room(stream, this.#initial), this.#room(CONNECTION, INITIAL_BYTES));
      const given = this.#counts ? room : wanted;
      if (given > 0) {
        for (const id of [stream, CONNECTION]) this.#used.set(id, (this.#used.get(id) ?? 0) + given);
        return given;
      }
      await this.#changed.promise;
    }
    return 0;
  }

  add(stream: number, bytes: number): void {
    this.#counts = true;
    if (this.#used.has(stream)) this.#used.set(stream, (this.#used.get(stream) ?? 0) - bytes);
    this.#wake();
  }

  /** The client's setting for all streams. */
  initial(bytes: number): void {
    this.#counts = true;
    this.#initial = bytes;
    this.#wake();
  }

  /** The stream has ended; whoever waits for its window waits no more. */
  forget(stream: number): void {
    this.#used.delete(stream);
    this.#wake();
  }

  #room(id: number, initial: number): number {
    return initial - (this.#used.get(id) ?? 0);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
