// Frames of RFC 6455: round trips however the bytes are cut, and every way to be wrong with its close code.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeClose, encodeFrame, OPCODES, WebSocketError, WebSocketReader, type WebSocketEvent } from "./websocket-frames.ts";

const MASK = Uint8Array.of(1, 2, 3, 4);

/** The bytes in pieces of these lengths, and a last one with the rest; copied, since the reader unmasks in place. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return [...pieces, bytes.slice(at)].filter((piece) => piece.length > 0);
}

/** What a reader makes of the pieces, with the pieces of each message joined again. */
function readAll(pieces: readonly Uint8Array[]): object[] {
  const reader = new WebSocketReader();
  const seen: object[] = [];
  let parts: Uint8Array[] = [];
  const take = (event: WebSocketEvent): void => {
    if (event.type !== "data") return void seen.push(event.type === "close" ? event : { type: event.type, bytes: Buffer.from(event.bytes).toString("hex") });
    assert.equal(event.first, parts.length === 0);
    parts.push(event.bytes);
    if (!event.last) return;
    seen.push({ type: "data", text: event.text, bytes: Buffer.concat(parts).toString("hex") });
    parts = [];
  };
  for (const piece of pieces) for (const event of reader.push(piece)) take(event);
  return seen;
}

const message = fc.record({
  text: fc.boolean(),
  frames: fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 65_530, maxLength: 65_540 })), { minLength: 1, maxLength: 4 }),
  /** A ping before each frame but the first. */
  pings: fc.boolean(),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
});

test("any messages, in any fragments, with pings in between, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 30 }), (messages, lengths) => {
      const wire: Uint8Array[] = [];
      const want: object[] = [];
      for (const { text, frames, pings, mask } of messages) {
        frames.forEach((payload, index) => {
          if (pings && index > 0) {
            wire.push(encodeFrame(OPCODES.ping, Uint8Array.of(index), { mask }));
            want.push({ type: "ping", bytes: Buffer.of(index).toString("hex") });
          }
          const opcode = index > 0 ? OPCODES.continuation : text ? OPCODES.text : OPCODES.binary;
          wire.push(encodeFrame(opcode, payload, { mask, fin: index === frames.length - 1 }));
        });
        want.push({ type: "data", text, bytes: Buffer.concat(frames).toString("hex") });
      }
      assert.deepEqual(readAll(cut(Buffer.concat(wire), lengths)), want);
    }),
    { numRuns: 25 },
  );
});

test("any bytes at all either are frames or end with a WebSocketError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        readAll([bytes.slice()]);
      } catch (error) {
        assert.ok(error instanceof WebSocketError, String(error));
      }
    }),
  );
});

const masked = (opcode: number, payload: Uint8Array | string, fin = true): Buffer => encodeFrame(opcode, Buffer.from(payload), { fin, mask: MASK });
const long = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(" ", ""), "hex");

const malformed = [
  { name: "a frame that is not masked", bytes: encodeFrame(OPCODES.binary, Buffer.from("x")), code: 1002 },
  { name: "a reserved bit", bytes: long("c2 80 00000000"), code: 1002 },
  { name: "an unknown data opcode", bytes: masked(3, "x"), code: 1002 },
  { name: "an unknown control opcode", bytes: masked(11, "x"), code: 1002 },
  { name: "a fragmented ping", bytes: masked(OPCODES.ping, "x", false), code: 1002 },
  { name: "a ping of 126 bytes", bytes: masked(OPCODES.ping, Buffer.alloc(126)), code: 1002 },
  { name: "a continuation of nothing", bytes: masked(OPCODES.continuation, "x"), code: 1002 },
  { name: "a message inside of another", bytes: Buffer.concat([masked(OPCODES.text, "x", false), masked(OPCODES.text, "y")]), code: 1002 },
  { name: "a 16 bit length that fits into 7", bytes: long("82 fe 0001 00000000 00"), code: 1002 },
  { name: "a 64 bit length that fits into 16", bytes: long("82 ff 0000000000000001 00000000 00"), code: 1002 },
  { name: "a length beyond all memory", bytes: long("82 ff 8000000000000000 00000000 00"), code: 1002 },
  { name: "half a close code", bytes: masked(OPCODES.close, Uint8Array.of(3)), code: 1002 },
  { name: "a close code for inside use", bytes: masked(OPCODES.close, Uint8Array.of(3, 237)), code: 1002 },
  { name: "a close reason that is not UTF-8", bytes: masked(OPCODES.close, Uint8Array.of(3, 232, 0xff)), code: 1007 },
];
for (const { name, bytes, code } of malformed) {
  test(`malformed: ${name}`, () => {
    for (const pieces of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))])
      assert.throws(() => readAll(pieces.map((piece) => piece.slice())), { name: "WebSocketError", code });
  });
}

test("a close frame has its code and its reason; without a code it is 1005", () => {
  const frame = encodeClose(1000, "bye");
  assert.deepEqual(readAll([masked(OPCODES.close, frame.subarray(2))]), [{ type: "close", code: 1000, reason: "bye" }]);
  assert.deepEqual(readAll([masked(OPCODES.close, "")]), [{ type: "close", code: 1005, reason: "" }]);
});

test("a reason that is too long for a control frame is cut", () => {
  assert.equal(encodeClose(1002, "x".repeat(500)).length, 2 + 125);
});
