// A chunked response for a client of HTTP/1.0, which knows no chunks: the content alone, ended by the connection.
import type { Chunk } from "../pods/pod-connection.ts";
import type { ResponseHead } from "./response-head.ts";

const SIZE = 0;
const LINE_END = 1;
const DATA = 2;
const DATA_END = 3;
const TRAILERS = 4;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

/** The head without what announces chunks and trailers. */
export function headWithoutChunks(head: ResponseHead): ResponseHead {
  const lines = head.lines.replace(/^(?:transfer-encoding|trailer):[^\r]*\r\n/gim, "");
  return { ...head, framing: "close", lines, plain: `${lines}\r\n` };
}

/** Takes the content out of octets that a `BodyTracker` has found to be valid chunks. */
export class Unchunker {
  #state = SIZE;
  #size = "";
  #remaining = 0;

  /** The content of this part, copied; the buffer of the part is given back. */
  contentOf({ bytes, from, to, done, release }: Chunk): Chunk {
    const parts: Buffer[] = [];
    for (let at = from; at < to;) {
      if (this.#state === DATA) {
        const end = Math.min(to, at + this.#remaining);
        parts.push(bytes.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#state = DATA_END;
      } else {
        this.#step(bytes[at++] ?? 0);
      }
    }
    const content = Buffer.concat(parts);
    release?.();
    return { bytes: content, from: 0, to: content.length, done, release: undefined };
  }

  #step(code: number): void {
    switch (this.#state) {
      case SIZE:
        if (code === CR || code === SEMICOLON) this.#state = LINE_END;
        else this.#size += String.fromCharCode(code);
        return;
      case LINE_END:
        if (code !== LF) return;
        this.#remaining = Number.parseInt(this.#size, 16);
        this.#size = "";
        this.#state = this.#remaining === 0 ? TRAILERS : DATA;
        return;
      case DATA_END:
        if (code === LF) this.#state = SIZE;
        return;
      default:
    }
  }
}
