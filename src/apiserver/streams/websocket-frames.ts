// The frames of RFC 6455, as bytes: what a client's stream holds, and how ours are written. Pure.

/** A payload comes in pieces as the network delivers it: no message is ever kept whole. */
export type WebSocketEvent =
  | { readonly type: "data"; readonly text: boolean; readonly first: boolean; readonly last: boolean; readonly bytes: Uint8Array }
  | { readonly type: "ping" | "pong"; readonly bytes: Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Close codes of RFC 6455, 7.4. `noStatus` is never sent: it stands for a close frame without a code. */
export const CLOSE_CODES = { normal: 1000, goingAway: 1001, protocolError: 1002, noStatus: 1005, invalidData: 1007, tooBig: 1009, internal: 1011 } as const;

/** The stream is not what the protocol asks for; the connection ends with `code`. */
export class WebSocketError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "WebSocketError";
    this.code = code;
  }
}

const CONTROL_BYTES_MAX = 125;
const HEADER_BYTES_MAX = 14;
const NOTHING = new Uint8Array(0);

interface Head {
  readonly opcode: number;
  readonly fin: boolean;
  readonly length: number;
  readonly mask: Uint8Array;
}

function broken(message: string): WebSocketError {
  return new WebSocketError(CLOSE_CODES.protocolError, message);
}

/** Bytes of the head that begins with these two or more; undefined while that cannot be told. */
function headLength(bytes: Uint8Array, have: number): number | undefined {
  if (have < 2) return undefined;
  const second = bytes[1] ?? 0;
  if ((second & 0x80) === 0) throw broken("a client's frame is not masked");
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + 4;
}

function parseHead(bytes: Uint8Array): Head {
  const [first = 0, second = 0] = bytes;
  if ((first & 0x70) !== 0) throw broken("a reserved bit is set");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = second & 0x7f;
  const long = short === 126 ? view.getUint16(2) : short === 127 ? view.getBigUint64(2) : short;
  if (long > Number.MAX_SAFE_INTEGER) throw broken("a frame has no possible length");
  const length = Number(long);
  if ((short === 126 && length < 126) || (short === 127 && length < 65_536)) throw broken("a length is not written in the shortest way");
  return { opcode: first & 0x0f, fin: (first & 0x80) !== 0, length, mask: bytes.slice(bytes.length - 4) };
}

function closeEvent(bytes: Uint8Array): WebSocketEvent {
  if (bytes.length === 0) return { type: "close", code: CLOSE_CODES.noStatus, reason: "" };
  if (bytes.length === 1) throw broken("a close frame has half a code");
  const code = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  // 1004-1006 and 1015 are for use inside programs only.
  const allowed = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!allowed) throw broken(`close code ${code} may not be sent`);
  try {
    return { type: "close", code, reason: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(2)) };
  } catch {
    throw new WebSocketError(CLOSE_CODES.invalidData, "a close frame's reason is not UTF-8");
  }
}

/** Reads a client's byte stream, cut in any way. Throws WebSocketError; nothing can be read after that. */
export class WebSocketReader {
  readonly #headBytes = new Uint8Array(HEADER_BYTES_MAX);
  #headHave = 0;
  #head: Head | undefined;
  #seen = 0;
  #control = NOTHING;
  /** The message that is under way: frames of it may follow. */
  #message: { readonly text: boolean } | undefined;
  #first = true;

  /** The events that `chunk` brings. It is changed (unmasked), and its memory is part of them. */
  *push(chunk: Uint8Array): Generator<WebSocketEvent, void, void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#head === undefined) at = this.#readHead(chunk, at);
      const head = this.#current();
      if (head === undefined) return;
      if (at === chunk.length && head.length > 0) return;
      const piece = chunk.subarray(at, at + Math.min(chunk.length - at, head.length - this.#seen));
      for (let index = 0; index < piece.length; index++) piece[index] = (piece[index] ?? 0) ^ (head.mask[(this.#seen + index) & 3] ?? 0);
      at += piece.length;
      this.#seen += piece.length;
      const done = this.#seen === head.length;
      if (done) this.#head = undefined;
      yield* this.#payload(head, piece, done);
    }
  }

  #current(): Head | undefined {
    return this.#head;
  }

  #readHead(chunk: Uint8Array, from: number): number {
    let at = from;
    for (let wanted = headLength(this.#headBytes, this.#headHave) ?? 2; this.#headHave < wanted; at++) {
      if (at >= chunk.length) return at;
      this.#headBytes[this.#headHave++] = chunk[at] ?? 0;
      wanted = headLength(this.#headBytes, this.#headHave) ?? 2;
    }
    const head = parseHead(this.#headBytes.subarray(0, this.#headHave));
    this.#headHave = 0;
    this.#seen = 0;
    this.#begin(head);
    this.#head = head;
    return at;
  }

  /** Whether a frame may come now. */
  #begin({ opcode, fin, length }: Head): void {
    if (opcode >= 8) {
      if (opcode > OPCODES.pong) throw broken(`opcode ${opcode} is unknown`);
      if (!fin) throw broken("a control frame is fragmented");
      if (length > CONTROL_BYTES_MAX) throw broken("a control frame is too long");
      this.#control = NOTHING;
      return;
    }
    if (opcode > OPCODES.binary) throw broken(`opcode ${opcode} is unknown`);
    if (opcode === OPCODES.continuation) {
      if (this.#message === undefined) throw broken("a message is continued that never began");
      return;
    }
    if (this.#message !== undefined) throw broken("a message begins inside of another");
    this.#message = { text: opcode === OPCODES.text };
    this.#first = true;
  }

  *#payload(head: Head, piece: Uint8Array, done: boolean): Generator<WebSocketEvent, void, void> {
    if (head.opcode >= 8) {
      this.#control = Buffer.concat([this.#control, piece]);
      if (!done) return;
      yield head.opcode === OPCODES.close ? closeEvent(this.#control) : { type: head.opcode === OPCODES.ping ? "ping" : "pong", bytes: this.#control };
      return;
    }
    const last = done && head.fin;
    const { text } = this.#message ?? { text: false };
    const first = this.#first;
    this.#first = false;
    if (last) this.#message = undefined;
    yield { type: "data", text, first, last, bytes: piece };
  }
}

/** One whole frame. Servers do not mask theirs; `mask` is for those who speak as a client. */
export function encodeFrame(opcode: number, payload: Uint8Array, { fin = true, mask }: { readonly fin?: boolean; readonly mask?: Uint8Array } = {}): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + (mask === undefined ? 0 : 4) + length);
  frame[0] = (fin ? 0x80 : 0) | opcode;
  frame[1] = (mask === undefined ? 0 : 0x80) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const body = frame.length - length;
  frame.set(payload, body);
  if (mask !== undefined) {
    frame.set(mask, body - 4);
    for (let index = 0; index < length; index++) frame[body + index] = (frame[body + index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return frame;
}

export function encodeClose(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, CONTROL_BYTES_MAX - 2);
  return encodeFrame(OPCODES.close, Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), text]));
}
