// Which texts are names and image references.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dns1035Complaints, dns1035PrefixComplaints, isImageReference, qualifiedNameComplaints } from "./names.ts";

const digest = `sha256:${"a".repeat(64)}`;
const references: Record<string, boolean> = {
  hello: true,
  "dev.local/hello:v1": true,
  "localhost:5000/a/b:tag_1.2-x": true,
  [`x.example/a/b@${digest}`]: true,
  [`x.example/a/b:v1@${digest}`]: true,
  "[::1]:5000/app": true,
  "Dev.Local/UPPER CASE": false,
  "a@sha256:123": false,
  "a:b:c": false,
  a: false,
  "": false,
  [`a@${digest}@${digest}`]: false,
};
for (const [text, want] of Object.entries(references))
  test(`isImageReference: ${JSON.stringify(text)} is ${want}`, () => assert.equal(isImageReference(text), want));

test("a DNS-1035 label begins with a letter and has at most 63 characters", () => {
  assert.deepEqual(dns1035Complaints("a-1"), []);
  assert.equal(dns1035Complaints("1a").length, 1);
  assert.deepEqual(dns1035Complaints("a".repeat(64)), ["must be no more than 63 characters"]);
});

test("a prefix of a generated name may end in a dash", () => {
  assert.deepEqual(dns1035PrefixComplaints("g-"), []);
  assert.equal(dns1035PrefixComplaints("G-").length, 1);
});

test("a qualified name may have one prefix", () => {
  assert.deepEqual(qualifiedNameComplaints("example.com/Name_1"), []);
  assert.equal(qualifiedNameComplaints("a/b/c").length, 1);
  assert.deepEqual(qualifiedNameComplaints("/b"), ["prefix part must be non-empty"]);
});
