// Frames and headers of SPDY/3.1: round trips however the bytes are cut, what zlib itself packs, and every way to be wrong.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { constants, createDeflate } from "node:zlib";
import fc from "fast-check";
import { encodeSpdy, SpdyError, SpdyReader, type SpdyFrame } from "./spdy-frames.ts";
import { HeaderInflater, HeaderPacker, parseHeaders, spdyDictionary, type SpdyHeaders } from "./spdy-headers.ts";

const id = fc.integer({ min: 1, max: 0x7fff_ffff });
const bytes = fc.uint8Array({ maxLength: 300 });
const frame: fc.Arbitrary<SpdyFrame> = fc.oneof(
  fc.record({ type: fc.constantFrom("synStream" as const, "synReply" as const, "headers" as const), stream: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant("rstStream" as const), stream: id, status: fc.nat() }),
  fc.record({ type: fc.constant("settings" as const), windowBytes: fc.option(fc.nat(), { nil: undefined }) }),
  fc.record({ type: fc.constant("ping" as const), id: fc.nat() }),
  fc.record({ type: fc.constant("goAway" as const), lastStream: id, status: fc.nat() }),
  fc.record({ type: fc.constant("windowUpdate" as const), stream: id, bytes: id }),
  fc.record({
    type: fc.constant("data" as const),
    stream: id,
    fin: fc.boolean(),
    bytes: fc.oneof(bytes, fc.uint8Array({ minLength: 70_000, maxLength: 70_010 })),
  }),
);

function cut(whole: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(whole.subarray(at, at + length));
    at += length;
  }
  return [...pieces, whole.subarray(at)];
}

/** Frames as they can be compared: bytes in hexadecimal, the pieces of one data frame together. */
function shown(frames: Iterable<SpdyFrame>): object[] {
  return [...frames].map((each) => {
    if (each.type === "data") return { ...each, bytes: Buffer.from(each.bytes).toString("hex") };
    return "block" in each ? { ...each, block: Buffer.from(each.block).toString("hex") } : { ...each };
  });
}

test("any frames, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 }), (frames, lengths) => {
      const reader = new SpdyReader();
      const got = cut(Buffer.concat(frames.map(encodeSpdy)), lengths).flatMap((piece) => [...reader.push(piece)]);
      // Data comes in pieces; the frames' own borders are known by their bytes.
      const joined: SpdyFrame[] = [];
      let wanted = 0;
      for (const piece of got) {
        const last = joined.at(-1);
        const want = frames[joined.length - 1];
        const open = last?.type === "data" && want?.type === "data" && last.bytes.length < wanted;
        if (piece.type === "data" && open && last?.type === "data") joined[joined.length - 1] = { ...piece, bytes: Buffer.concat([last.bytes, piece.bytes]) };
        else {
          joined.push(piece);
          const next = frames[joined.length - 1];
          wanted = next?.type === "data" ? next.bytes.length : 0;
        }
      }
      assert.deepEqual(shown(joined), shown(frames));
    }),
    { numRuns: 100 },
  );
});

test("any bytes at all either are frames or end with a SpdyError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (anything) => {
      try {
        shown(new SpdyReader().push(anything));
      } catch (error) {
        assert.ok(error instanceof SpdyError, String(error));
      }
    }),
  );
});

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const malformed = [
  { name: "version 2", frame: hex("80020006 00000004 00000001") },
  { name: "a control frame above the limit", frame: hex("80030001 00010001") },
  { name: "a ping of five bytes", frame: hex("80030006 00000005 0000000100") },
  { name: "a SYN_STREAM of nine bytes", frame: hex("80030001 00000009 000000010000000000") },
  { name: "settings that are fewer than they say", frame: hex("80030004 0000000c 00000002 0000000700010000") },
];
for (const { name, frame: wrong } of malformed)
  test(`malformed: ${name}`, () => void assert.throws(() => shown(new SpdyReader().push(wrong)), { name: "SpdyError" }));

test("frames of unknown types are passed over", () => {
  const wire = Buffer.concat([hex("800300ff 00000003 010203"), encodeSpdy({ type: "ping", id: 1 })]);
  assert.deepEqual(shown(new SpdyReader().push(wire)), [{ type: "ping", id: 1 }]);
});

const KNOWN: SpdyHeaders = new Map([
  ["streamtype", "data"],
  ["port", "8080"],
]);

test("the dictionary is the specification's", () => {
  assert.equal(createHash("sha256").update(spdyDictionary()).digest("hex"), "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02");
});

test("headers as a Go client packs them: the second block needs the first", async () => {
  const inflater = new HeaderInflater();
  assert.deepEqual([...(await inflater.unpack(hex("78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a68000000 00ffff")))], [["streamtype", "error"]]);
  assert.deepEqual([...(await inflater.unpack(hex("c22ac5565c92925f5a020000 00ffff")))], [["streamtype", "stdout"]]);
  inflater.close();
});

/** What zlib packs, in one stream. */
function deflater(): (plain: Uint8Array) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: spdyDictionary() });
  return async (plain) => {
    const parts: Buffer[] = [];
    const take = (part: Buffer): void => void parts.push(part);
    deflate.on("data", take);
    await new Promise<void>((resolve) => {
      deflate.write(plain);
      deflate.flush(constants.Z_SYNC_FLUSH, () => setImmediate(resolve));
    });
    deflate.off("data", take);
    return Buffer.concat(parts);
  };
}

/** A block of headers that is not packed. */
function plainOf(headers: Iterable<readonly [string, string]>): Buffer {
  const number = (value: number): Buffer => hex(value.toString(16).padStart(8, "0"));
  const list = [...headers];
  return Buffer.concat([number(list.length), ...list.flat().flatMap((text) => [number(text.length), Buffer.from(text, "latin1")])]);
}

test("many blocks of zlib, and of our own packing, one after the other", async () => {
  const [theirs, ours, pack, packer] = [new HeaderInflater(), new HeaderInflater(), deflater(), new HeaderPacker()];
  for (let index = 0; index < 50; index++) {
    const headers = new Map([...KNOWN, ["requestid", String(index)], ["filler", "x".repeat(index * 37)]]);
    assert.deepEqual(await theirs.unpack(await pack(plainOf(headers))), headers);
    assert.deepEqual(await ours.unpack(packer.pack(headers)), headers);
  }
});

test("a block ends with an empty stored block: Go's reader gives out nothing before it sees one", () => {
  assert.equal(new HeaderPacker().pack(KNOWN).subarray(-5).toString("hex"), "000000ffff");
});

test("headers that unpack to more than the limit are refused, and so is everything after them", async () => {
  const [inflater, pack] = [new HeaderInflater(), deflater()];
  await assert.rejects(inflater.unpack(await pack(plainOf([["bomb", "x".repeat(1 << 20)]]))), { name: "RangeError" });
  await assert.rejects(inflater.unpack(await pack(plainOf(KNOWN))), { name: "RangeError" });
});

test("headers that are not packed at all are refused", async () => {
  await assert.rejects(new HeaderInflater().unpack(Buffer.from("no zlib here")));
});

const blocks = [
  { name: "a block that is cut", block: plainOf(KNOWN).subarray(0, -1) },
  { name: "a block with a tail", block: Buffer.concat([plainOf(KNOWN), Buffer.of(0)]) },
  { name: "a header without a name", block: plainOf([["", "x"]]) },
  {
    name: "the same header twice",
    block: plainOf([
      ["a", "1"],
      ["A", "2"],
    ]),
  },
  { name: "nothing", block: Buffer.alloc(0) },
  { name: "a length beyond the block", block: hex("00000001 7fffffff 61") },
];
for (const { name, block } of blocks) test(`no headers: ${name}`, () => void assert.throws(() => parseHeaders(block), { name: "RangeError" }));
test("several values of a header are joined", () => void assert.equal(parseHeaders(plainOf([["a", "1\x002"]])).get("a"), "1, 2"));
