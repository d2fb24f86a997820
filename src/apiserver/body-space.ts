// What the bodies of all requests under way hold together, so that many clients with large bodies do not fill the memory.
import { StatusError } from "#core";

/** Forty of the largest bodies; who comes above it is told to come back. */
export const BODY_SPACE_BYTES = 128 << 20;

/** Bytes that are held, by whoever reads a body. */
export class BodySpace {
  readonly #bytesMax: number;
  #held = 0;

  constructor(bytesMax = BODY_SPACE_BYTES) {
    this.#bytesMax = bytesMax;
  }

  /** Room for one body; `giveBack` when it is no longer needed. */
  open(): { grow(bytes: number): void; giveBack(): void } {
    let mine = 0;
    return {
      grow: (bytes) => {
        if (this.#held + bytes > this.#bytesMax) {
          throw new StatusError("TooManyRequests", "too many large requests are under way, please try again later", { details: { retryAfterSeconds: 1 } });
        }
        this.#held += bytes;
        mine += bytes;
      },
      giveBack: () => {
        this.#held -= mine;
        mine = 0;
      },
    };
  }
}
