// Cuts what a client sends into requests: where each head and body ends, and what is refused. State, no IO.
import { BodyTracker } from "./body-tracker.ts";
import { findHeadEnd, HEAD_BYTES_MAX, type HeadFault } from "./head-scan.ts";
import { parseRequestHead, type RequestHead } from "./request-head.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const CR = 13;
const LF = 10;

/** One reader serves all requests of a connection, one after the other. What was refused ends it. */
export class RequestReader {
  /** Follows the body of the request that was taken last. */
  readonly body = new BodyTracker();
  /** Why the latest head was refused. */
  fault: HeadFault | undefined;
  /** Read and not yet taken. */
  #ahead: Buffer = NOTHING;
  /** Octets of `#ahead` that were searched for the end of a head. */
  #searched = 0;
  /** The head that was parsed last; one of the same octets is not parsed again. */
  #memo: RequestHead | undefined;

  /** Octets that were read ahead. */
  get ahead(): number {
    return this.#ahead.length;
  }

  /** Whether any head was ever taken. */
  get used(): boolean {
    return this.#memo !== undefined;
  }

  /** More octets behind a complete body. They are valid until `keep` is called, or nothing of them is left. */
  push(bytes: Buffer): void {
    this.#ahead = this.#ahead.length === 0 ? bytes : Buffer.concat([this.#ahead, bytes]);
  }

  /** Copies what was read ahead: the buffer that it is in will be used again. */
  keep(): void {
    this.#ahead = Buffer.from(this.#ahead);
  }

  /** The next head, once it is complete and the body before it, too; undefined also when it is refused: then `fault` tells why. */
  take(): RequestHead | undefined {
    const ahead = this.#ahead;
    // An empty line before a request line is ignored (RFC 9112 2.2).
    const from = ahead.length >= 2 && ahead[0] === CR && ahead[1] === LF ? 2 : 0;
    // Three octets again: they may begin the empty line.
    const end = findHeadEnd(ahead, Math.max(from, this.#searched - 3), ahead.length);
    if (end === -2) return this.#refuse({ status: 400, reason: "malformed request head" });
    if ((end < 0 ? ahead.length : end) - from > HEAD_BYTES_MAX) return this.#refuse(tooLong(ahead, from));
    if (end < 0) {
      this.#searched = ahead.length;
      return undefined;
    }
    this.#searched = 0;
    const head = this.#parse(ahead.toString("latin1", from, end));
    if (head === undefined) return undefined;
    this.#ahead = end < ahead.length ? ahead.subarray(end) : NOTHING;
    this.body.begin(head.framing);
    return head;
  }

  /** What of the body is among the octets read ahead. */
  bodyAhead(): Buffer {
    const ahead = this.#ahead;
    this.#ahead = NOTHING;
    return this.feed(ahead);
  }

  /** More octets while the body is not complete; answers those that belong to it and keeps the others. See `body` for how it went. */
  feed(bytes: Buffer): Buffer {
    const end = this.body.feed(bytes, 0, bytes.length);
    if (end === bytes.length) return bytes;
    this.#ahead = bytes.subarray(end);
    return bytes.subarray(0, end);
  }

  /** Gives away what was read ahead. */
  rest(): Buffer {
    const ahead = this.#ahead;
    this.#ahead = NOTHING;
    this.#searched = 0;
    return ahead;
  }

  #parse(text: string): RequestHead | undefined {
    if (this.#memo?.text === text) return this.#memo;
    const head = parseRequestHead(text);
    if ("reason" in head) return this.#refuse(head);
    this.#memo = head;
    return head;
  }

  #refuse(fault: HeadFault): undefined {
    this.fault = fault;
    this.#ahead = NOTHING;
    return undefined;
  }
}

function tooLong(ahead: Buffer, from: number): HeadFault {
  const line = ahead.indexOf(LF, from);
  return line < 0 || line - from > HEAD_BYTES_MAX ? { status: 414, reason: "request target too long" } : { status: 431, reason: "request head too large" };
}
