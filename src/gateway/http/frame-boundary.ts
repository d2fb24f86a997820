// Where one websocket frame ends and the next begins (RFC 6455 5.2), in bytes that are only relayed.

/** Follows one direction from its first octet on: counts, never copies. */
export class FrameBoundary {
  /** Octets of the header that were seen; 0 between two frames or inside a payload. */
  #seen = 0;
  /** Octets that the header has, once its second one has told. */
  #size = 0;
  #extended = 0;
  #length = 0;
  /** Octets of the payload that are to come. */
  #payload = 0;

  /** A frame of our own may be put in here. */
  get isBetween(): boolean {
    return this.#seen === 0 && this.#payload === 0;
  }

  feed(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      if (this.#payload === 0) {
        this.#header(bytes[at++] ?? 0);
        continue;
      }
      const passed = Math.min(this.#payload, to - at);
      this.#payload -= passed;
      at += passed;
    }
  }

  #header(octet: number): void {
    const index = this.#seen++;
    if (index === 0) return;
    if (index === 1) {
      const length = octet & 127;
      this.#extended = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#size = 2 + this.#extended + (octet > 127 ? 4 : 0);
      this.#length = this.#extended === 0 ? length : 0;
    } else if (index < 2 + this.#extended) {
      this.#length = this.#length * 256 + octet;
    }
    if (this.#seen < this.#size || index === 0) return;
    this.#seen = 0;
    this.#payload = this.#length;
  }
}
