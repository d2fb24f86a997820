// Lines with times: the keeper's marks, lines however they are cut, and what is left out.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { logTime, parseMarks, stamped, timeAt, type Stamping } from "./log-times.ts";

test("marks: whole lines alone, what is no mark is passed over", () => {
  assert.deepEqual(parseMarks("4 100\nnonsense\n8 200\n12 30"), [
    { bytes: 4, atMs: 100 },
    { bytes: 8, atMs: 200 },
  ]);
  assert.deepEqual(parseMarks(""), []);
});

test("a byte was there at the first mark behind it", () => {
  const marks = parseMarks("4 100\n8 200\n");
  assert.deepEqual(
    [0, 3, 4, 7, 8].map((offset) => timeAt(marks, offset)),
    [100, 100, 200, 200, undefined],
  );
});

test("times have nine digits, in UTC", () => assert.equal(logTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6)), "2026-01-02T03:04:05.006000000Z"));

/** Every byte of `text` at its own offset's time, in pieces of these lengths. */
async function stampedText(text: string, lengths: readonly number[], stamping: Partial<Stamping>): Promise<string> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    let at = 0;
    for (const length of [...lengths, bytes.length]) {
      const piece = bytes.subarray(at, at + length);
      if (piece.length > 0) yield { offset: at, bytes: piece };
      at += piece.length;
    }
  }
  let result = "";
  const given = { timestamps: false, sinceMs: undefined, at: (offset: number) => Promise.resolve(offset), ...stamping };
  for await (const chunk of stamped(pieces(), given)) result += Buffer.from(chunk).toString();
  return result;
}

test("each line gets the time of its first byte, however the output is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-z ]{0,8}$/), { maxLength: 8 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }),
      async (lines, ends, lengths) => {
        const text = lines.join("\n") + (ends && lines.length > 0 ? "\n" : "");
        let offset = 0;
        const want = text.split(/(?<=\n)/).map((line) => {
          const stamp = `${logTime(offset)} `;
          offset += line.length;
          return line === "" ? "" : stamp + line;
        });
        assert.equal(await stampedText(text, lengths, { timestamps: true }), want.join(""));
      },
    ),
  );
});

test("lines before the time are left out, with all of their pieces", async () => {
  assert.equal(await stampedText("old\nnew\nnewer\n", [2, 3, 5], { sinceMs: 4 }), "new\nnewer\n");
  assert.equal(await stampedText("old\nnew", [1], { sinceMs: 100 }), "");
});
