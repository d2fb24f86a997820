// The hops of an event, row by row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { admitted, type Attributes, withHopsOf, withoutHops } from "./hops.ts";

const AT = "2026-01-02T03:04:05.006Z";
const event = (ttl?: string): Attributes => new Map([["id", "1"], ...(ttl === undefined ? [] : [["knativebrokerttl", ttl] as const])]);

const table: readonly { readonly name: string; readonly given?: string; readonly want: number | undefined }[] = [
  { name: "an event from outside has them all", want: 255 },
  { name: "one that was here has one fewer", given: "255", want: 254 },
  { name: "the last one is left", given: "2", want: 1 },
  { name: "with one left it is not taken", given: "1", want: undefined },
  { name: "nor with none", given: "0", want: undefined },
  { name: "nor below", given: "-7", want: undefined },
  { name: "what is no number counts as new", given: "many", want: 255 },
];
for (const { name, given, want } of table) {
  test(`admitted: ${name}`, () => assert.equal(admitted(event(given), AT)?.get("knativebrokerttl"), want));
}

test("the time of arrival is written over what the event says", () => {
  const stored = admitted(new Map([["knativearrivaltime", "yesterday"]]), AT);
  assert.equal(stored?.get("knativearrivaltime"), AT);
});

test("a subscriber sees no hops, and its reply goes on with them", () => {
  assert.deepEqual([...withoutHops(event("9"))], [["id", "1"]]);
  assert.equal(
    withHopsOf(
      new Map<string, string | number>([
        ["id", "2"],
        ["knativebrokerttl", 200],
      ]),
      event("9"),
    ).get("knativebrokerttl"),
    "9",
  );
});
