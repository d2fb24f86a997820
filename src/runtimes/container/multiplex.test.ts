import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { FrameSplitter, splitOutput } from "./multiplex.ts";

function frame(stream: number, payload: string): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(payload), 4);
  return Buffer.concat([head, Buffer.from(payload)]);
}

test("frames come whole, wherever the bytes are cut", () => {
  const bytes = Buffer.concat([frame(1, "one\n"), frame(2, ""), frame(2, "two\n")]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const splitter = new FrameSplitter();
    const frames = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((part) => [...splitter.push(part)]);
    assert.deepEqual(
      frames.map((each) => [each.stderr, each.bytes.toString()]),
      [
        [false, "one\n"],
        [true, ""],
        [true, "two\n"],
      ],
      `cut at ${cut}`,
    );
  }
});

test("what cannot be a frame is refused", () => {
  assert.throws(() => [...new FrameSplitter().push(Buffer.from("plain text of a terminal"))], RangeError);
});

test("both streams of a command end with the connection", async () => {
  const source = new PassThrough();
  const { stdout, stderr } = splitOutput(source);
  source.end(Buffer.concat([frame(1, "a"), frame(2, "b"), frame(1, "c")]));
  assert.deepEqual(await Promise.all([text(stdout), text(stderr)]), ["ac", "b"]);
});

test("a broken connection breaks both streams, and a closed reader does not hold up the other", async () => {
  const source = new PassThrough();
  const { stdout, stderr } = splitOutput(source);
  stderr.destroy();
  source.write(Buffer.concat([frame(2, "nobody reads this"), frame(1, "a")]));
  const first = await new Promise((resolve) => stdout.once("data", resolve));
  assert.equal(String(first), "a");
  const broken = new Promise((resolve) => stdout.once("error", resolve));
  source.destroy(new Error("gone"));
  assert.equal(((await broken) as Error).message, "gone");
});
