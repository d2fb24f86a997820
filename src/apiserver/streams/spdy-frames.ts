// The frames of SPDY/3.1, as bytes. Header blocks stay packed here. Pure.

export type SpdyFrame =
  | { readonly type: "synStream"; readonly stream: number; readonly fin: boolean; readonly block: Uint8Array }
  | { readonly type: "synReply"; readonly stream: number; readonly fin: boolean; readonly block: Uint8Array }
  | { readonly type: "headers"; readonly stream: number; readonly fin: boolean; readonly block: Uint8Array }
  | { readonly type: "rstStream"; readonly stream: number; readonly status: number }
  | { readonly type: "settings"; readonly windowBytes: number | undefined }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway"; readonly lastStream: number; readonly status: number }
  | { readonly type: "windowUpdate"; readonly stream: number; readonly bytes: number }
  /** A piece of a frame, as the network delivers it; `fin` comes with the last piece. */
  | { readonly type: "data"; readonly stream: number; readonly fin: boolean; readonly bytes: Uint8Array };

/** Reasons of RST_STREAM. */
export const RST = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const;
/** Reasons of GOAWAY. */
export const GOAWAY = { ok: 0, protocolError: 1, internalError: 2 } as const;

const TYPES = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const;
const VERSION = 3;
const FLAG_FIN = 1;
const INITIAL_WINDOW_SIZE = 7;
const HEAD_BYTES = 8;
/** Control frames are kept whole; only headers may be longer than a few bytes. */
const CONTROL_BYTES_MAX = 64 << 10;
const ID_MASK = 0x7fff_ffff;

/** The stream is not SPDY/3.1; the connection ends. */
export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SpdyError";
  }
}

interface Head {
  readonly isControl: boolean;
  /** The type of a control frame, the stream of a data frame. */
  readonly subject: number;
  readonly flags: number;
  readonly length: number;
}

function parseHead(bytes: DataView): Head {
  const first = bytes.getUint32(0);
  const second = bytes.getUint32(4);
  const isControl = first > ID_MASK;
  const head = { isControl, subject: isControl ? first & 0xffff : first, flags: second >>> 24, length: second & 0xff_ffff };
  if (!isControl) return head;
  const version = (first >>> 16) & 0x7fff;
  if (version !== VERSION) throw new SpdyError(`a frame has version ${version} instead of ${VERSION}`);
  if (head.length > CONTROL_BYTES_MAX) throw new SpdyError(`a control frame has ${head.length} bytes, the limit is ${CONTROL_BYTES_MAX}`);
  return head;
}

/** Lengths that frames of a type have, or have at least. */
const LENGTHS: Readonly<Record<number, { readonly bytes: number; readonly more: boolean }>> = {
  [TYPES.synStream]: { bytes: 10, more: true },
  [TYPES.synReply]: { bytes: 4, more: true },
  [TYPES.headers]: { bytes: 4, more: true },
  [TYPES.rstStream]: { bytes: 8, more: false },
  [TYPES.settings]: { bytes: 4, more: true },
  [TYPES.ping]: { bytes: 4, more: false },
  [TYPES.goAway]: { bytes: 8, more: false },
  [TYPES.windowUpdate]: { bytes: 8, more: false },
};

/** Undefined for types that are not known: they are passed over. */
function controlFrame({ subject: type, flags }: Head, body: Uint8Array): SpdyFrame | undefined {
  const length = LENGTHS[type];
  if (length === undefined) return undefined;
  if (body.length < length.bytes || (body.length > length.bytes && !length.more)) throw new SpdyError(`a frame of type ${type} has ${body.length} bytes`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const stream = view.getUint32(0) & ID_MASK;
  const fin = (flags & FLAG_FIN) !== 0;
  switch (type) {
    case TYPES.synStream:
      return { type: "synStream", stream, fin, block: body.subarray(10) };
    case TYPES.synReply:
      return { type: "synReply", stream, fin, block: body.subarray(4) };
    case TYPES.headers:
      return { type: "headers", stream, fin, block: body.subarray(4) };
    case TYPES.rstStream:
      return { type: "rstStream", stream, status: view.getUint32(4) };
    case TYPES.ping:
      return { type: "ping", id: view.getUint32(0) };
    case TYPES.goAway:
      return { type: "goAway", lastStream: stream, status: view.getUint32(4) };
    case TYPES.windowUpdate:
      return { type: "windowUpdate", stream, bytes: view.getUint32(4) & ID_MASK };
    default:
      return { type: "settings", windowBytes: windowOf(view) };
  }
}

function windowOf(view: DataView): number | undefined {
  const count = view.getUint32(0);
  if (view.byteLength !== 4 + count * 8) throw new SpdyError("a frame of settings has another length than it says");
  let found: number | undefined;
  for (let at = 4; at < view.byteLength; at += 8) if ((view.getUint32(at) & 0xff_ffff) === INITIAL_WINDOW_SIZE) found = view.getUint32(at + 4) & ID_MASK;
  return found;
}

/** Reads a byte stream, cut in any way. Throws SpdyError; nothing can be read after that. */
export class SpdyReader {
  readonly #headBytes = new Uint8Array(HEAD_BYTES);
  #headHave = 0;
  #head: Head | undefined;
  #body: Uint8Array[] = [];
  #seen = 0;

  /** The frames, and pieces of data frames, that `chunk` brings; its memory is part of them. */
  *push(chunk: Uint8Array): Generator<SpdyFrame, void, void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#head === undefined) {
        while (this.#headHave < HEAD_BYTES && at < chunk.length) this.#headBytes[this.#headHave++] = chunk[at++] ?? 0;
        if (this.#headHave < HEAD_BYTES) return;
        this.#head = parseHead(new DataView(this.#headBytes.buffer));
        this.#headHave = 0;
        this.#seen = 0;
        this.#body = [];
      }
      const head: Head = this.#head;
      const piece = chunk.subarray(at, at + Math.min(chunk.length - at, head.length - this.#seen));
      at += piece.length;
      this.#seen += piece.length;
      const done = this.#seen === head.length;
      if (done) this.#head = undefined;
      if (!head.isControl) {
        if (piece.length > 0 || done) yield { type: "data", stream: head.subject, fin: done && (head.flags & FLAG_FIN) !== 0, bytes: piece };
        continue;
      }
      this.#body.push(piece);
      const frame = done ? controlFrame(head, Buffer.concat(this.#body)) : undefined;
      if (frame !== undefined) yield frame;
    }
  }
}

function control(type: number, fin: boolean, numbers: readonly number[], tail: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + numbers.length * 4);
  frame.writeUInt32BE((0x8000_0000 + VERSION * 0x1_0000 + type) >>> 0, 0);
  frame.writeUInt32BE((fin ? FLAG_FIN << 24 : 0) + numbers.length * 4 + tail.length, 4);
  numbers.forEach((number, index) => frame.writeUInt32BE(number, HEAD_BYTES + index * 4));
  return Buffer.concat([frame, tail]);
}

/** The bytes of a frame; data as a whole frame. */
export function encodeSpdy(frame: SpdyFrame): Buffer {
  switch (frame.type) {
    case "synStream":
      // Associated with none, the highest priority, no slot.
      return control(TYPES.synStream, frame.fin, [frame.stream, 0], Buffer.concat([new Uint8Array(2), frame.block]));
    case "synReply":
      return control(TYPES.synReply, frame.fin, [frame.stream], frame.block);
    case "headers":
      return control(TYPES.headers, frame.fin, [frame.stream], frame.block);
    case "rstStream":
      return control(TYPES.rstStream, false, [frame.stream, frame.status]);
    case "settings":
      return control(TYPES.settings, false, frame.windowBytes === undefined ? [0] : [1, INITIAL_WINDOW_SIZE, frame.windowBytes]);
    case "ping":
      return control(TYPES.ping, false, [frame.id]);
    case "goAway":
      return control(TYPES.goAway, false, [frame.lastStream, frame.status]);
    case "windowUpdate":
      return control(TYPES.windowUpdate, false, [frame.stream, frame.bytes]);
    case "data": {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32BE(frame.stream, 0);
      head.writeUInt32BE((frame.fin ? FLAG_FIN << 24 : 0) + frame.bytes.length, 4);
      return Buffer.concat([head, frame.bytes]);
    }
  }
}
