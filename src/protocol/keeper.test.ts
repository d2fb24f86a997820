// The keeper's line codec: any cut of the bytes gives the same lines, nonsense gives nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeCall, decodeKeeperLine, encodeLine, keeperSocketPath, LineSplitter } from "./keeper.ts";

test("any cut of a byte stream gives the same lines", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "\\n"))), fc.array(fc.nat(40), { maxLength: 20 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const splitter = new LineSplitter();
      const got: string[] = [];
      let from = 0;
      for (const cut of cuts) {
        got.push(...splitter.push(bytes.subarray(from, from + cut)));
        from += cut;
      }
      got.push(...splitter.push(bytes.subarray(from)));
      assert.deepEqual(got, bytes.toString("utf8").split("\n").slice(0, -1));
    }),
    { numRuns: 50 },
  );
});

test("a line above the limit throws, however it arrives", () => {
  const splitter = new LineSplitter(8);
  assert.deepEqual(splitter.push(Buffer.from("12345678\n1234")), ["12345678"]);
  assert.throws(() => splitter.push(Buffer.from("56789")), RangeError);
});

test("what is not a message decodes to nothing", () => {
  for (const line of ["", "[", "null", "1", "{}", '{"id":1}', '{"do":"list"}', '{"id":"1","do":"list"}']) assert.equal(decodeCall(line), undefined, line);
  assert.deepEqual(decodeCall(encodeLine({ id: 1, do: "list" }).trim()), { id: 1, do: "list" });
  assert.equal(decodeKeeperLine('{"ok":true}'), undefined);
  assert.deepEqual(decodeKeeperLine('{"notice":"exited","process":"a","exit":null}'), { notice: "exited", process: "a", exit: null });
});

test("a socket is named by the shortest path that fits", () => {
  const deep = `/${"d".repeat(120)}`;
  assert.equal(keeperSocketPath("/data", "/"), "/data/keeper.sock");
  assert.equal(keeperSocketPath(deep, deep), "keeper.sock");
  assert.equal(keeperSocketPath(deep, "/"), undefined);
});
