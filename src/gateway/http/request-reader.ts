// Cuts what a client sends into requests: where each head and body ends, and what is refused. State, no IO.
import { BodyTracker } from "./body-tracker.ts";
import { findHeadEnd, HEAD_BYTES_MAX, type HeadFault, type Octets } from "./head-scan.ts";
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
  /** Read and not yet taken: `#ahead[#from, #to)`. */
  #ahead: Buffer = NOTHING;
  #from = 0;
  #to = 0;
  /** Octets from `#from` on that were searched for the end of a head. */
  #searched = 0;
  /** What was read ahead came by one read, and nothing of it was taken yet. */
  #isRead = false;
  /** A head that its client repeats; one of the same octets is not parsed again. */
  #repeated: RequestHead | undefined;
  /** Of the head that was taken last; 0 before the first. */
  #lastMark = 0;

  /** Octets that were read ahead. */
  get ahead(): number {
    return this.#to - this.#from;
  }

  /** Whether any head was ever taken. */
  get used(): boolean {
    return this.#lastMark > 0;
  }

  /** `count` more octets behind a complete body. They are valid until `keep` is called, or nothing of them is left. */
  push(bytes: Buffer, count = bytes.length): void {
    this.#isRead = this.ahead === 0;
    if (this.#isRead) return this.#set(bytes, 0, count);
    const joined = Buffer.concat([this.#ahead.subarray(this.#from, this.#to), bytes.subarray(0, count)]);
    this.#set(joined, 0, joined.length);
  }

  #set(bytes: Buffer, from: number, to: number): void {
    this.#ahead = bytes;
    this.#from = from;
    this.#to = to;
  }

  /** Copies what was read ahead: the buffer that it is in will be used again. */
  keep(): void {
    const kept = Buffer.from(this.#ahead.subarray(this.#from, this.#to));
    this.#set(kept, 0, kept.length);
  }

  /** The next head, once it is complete and the body before it, too; undefined also when it is refused: then `fault` tells why. */
  take(): RequestHead | undefined {
    const ahead = this.#ahead;
    // An empty line before a request line is ignored (RFC 9112 2.2).
    const to = this.#to;
    const from = this.ahead >= 2 && ahead[this.#from] === CR && ahead[this.#from + 1] === LF ? this.#from + 2 : this.#from;
    const whole = this.#wholeRead(ahead, from, to);
    if (whole !== undefined) {
      this.#set(NOTHING, 0, 0);
      this.body.begin(whole.framing);
      return whole;
    }
    // Three octets again: they may begin the empty line.
    const end = findHeadEnd(ahead, Math.max(from, this.#from + this.#searched - 3), to);
    if (end === -2) return this.#refuse({ status: 400, reason: "malformed request head" });
    if ((end < 0 ? to : end) - from > HEAD_BYTES_MAX) return this.#refuse(tooLong(ahead.subarray(from, to)));
    if (end < 0) {
      this.#searched = this.ahead;
      return undefined;
    }
    this.#searched = 0;
    const head = this.#parse({ bytes: ahead, from, to: end });
    if ("reason" in head) return this.#refuse(head);
    if (end < to) this.#from = end;
    else this.#set(NOTHING, 0, 0);
    this.body.begin(head.framing);
    return head;
  }

  /** What of the body is among the octets read ahead. */
  bodyAhead(): Buffer {
    return this.feed(this.rest());
  }

  /** More octets while the body is not complete; answers those that belong to it and keeps the others. See `body` for how it went. */
  feed(bytes: Buffer): Buffer {
    const end = this.body.feed(bytes, 0, bytes.length);
    if (end === bytes.length) return bytes;
    this.#set(bytes, end, bytes.length);
    return bytes.subarray(0, end);
  }

  /** Gives away what was read ahead. */
  rest(): Buffer {
    const ahead = this.#ahead.subarray(this.#from, this.#to);
    this.#set(NOTHING, 0, 0);
    this.#searched = 0;
    return ahead;
  }

  /**
   * Most reads are one head and no more, and end as a head does: then its end is not looked for. An empty line before would be no
   * field, and what is wrong in any other way is told by the one who looks.
   */
  #wholeRead(bytes: Buffer, from: number, to: number): RequestHead | undefined {
    const isRead = this.#isRead;
    this.#isRead = false;
    if (!isRead || to - from > HEAD_BYTES_MAX || bytes[to - 1] !== LF || bytes[to - 2] !== CR || bytes[to - 3] !== LF) return undefined;
    const head = this.#parse({ bytes, from, to });
    return "reason" in head ? undefined : head;
  }

  #parse(octets: Octets & { readonly bytes: Buffer }): RequestHead | HeadFault {
    const text = octets.bytes.toString("latin1", octets.from, octets.to);
    if (this.#repeated?.text === text) return this.#repeated;
    const head = parseRequestHead(text, octets);
    if ("reason" in head) return head;
    const mark = markOf(octets);
    this.#repeated = mark === this.#lastMark ? head : undefined;
    this.#lastMark = mark;
    return head;
  }

  /** Whether `head`, the latest, is kept because its client repeats it. Others are garbage at once, and not when the next one comes. */
  repeats(head: RequestHead): boolean {
    return this.#repeated === head;
  }

  #refuse(fault: HeadFault): undefined {
    this.fault = fault;
    this.#set(NOTHING, 0, 0);
    return undefined;
  }
}

/** The first octets of a head, which tell it from others of the same length: all of them when it has fewer. */
const MARKED_BYTES = 48;

/** More than 0, and seldom the same for two heads that are not. */
function markOf({ bytes, from, to }: Octets): number {
  let mark = to - from;
  const end = Math.min(from + MARKED_BYTES, to);
  for (let at = from; at < end; at++) mark = (Math.imul(mark, 31) + (bytes[at] ?? 0)) & 0x3fff_ffff;
  return mark + 1;
}

function tooLong(ahead: Buffer): HeadFault {
  const line = ahead.indexOf(LF);
  return line < 0 || line > HEAD_BYTES_MAX ? { status: 414, reason: "request target too long" } : { status: 431, reason: "request head too large" };
}
