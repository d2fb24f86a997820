// Names of children.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { childName } from "./child-name.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const a = (count: number): string => "a".repeat(count);

const table = [
  { name: "a short parent keeps its name", parent: "hello", suffix: "-00001", want: "hello-00001" },
  { name: "63 characters still fit", parent: a(58), suffix: "-1234", want: `${a(58)}-1234` },
  { name: "a long parent is cut and hashed", parent: a(63), suffix: "-deployment", want: `${a(20)}${md5(a(63))}-deployment` },
  { name: "a long parent without suffix is hashed, too", parent: a(64), suffix: "", want: a(31) + md5(a(64)) },
  { name: "a long suffix is hashed with the parent", parent: a(40), suffix: `-${a(40)}`, want: a(31) + md5(`${a(40)}-${a(40)}`) },
];
for (const { name, parent, suffix, want } of table) {
  test(`childName: ${name}`, () => {
    const got = childName(parent, suffix);
    assert.equal(got, want);
    assert.ok(got.length <= 63);
  });
}
