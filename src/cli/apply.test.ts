// Rows of client-side apply: what is sent for what was applied last, what is wanted and what is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Draft, KubeObject } from "#schema";
import { isSame, threeWayPatch, withLastApplied } from "./apply.ts";

const LAST = "kubectl.kubernetes.io/last-applied-configuration";
const object = (spec: object, annotations?: Record<string, string>): KubeObject =>
  ({ apiVersion: "v1", kind: "Thing", metadata: { name: "a", ...(annotations === undefined ? {} : { annotations }) }, spec }) as unknown as KubeObject;
const draft = (spec: object): Draft<KubeObject> => object(spec);
const applied = (spec: object): KubeObject => withLastApplied(draft(spec)) as KubeObject;

const rows = [
  { name: "what is wanted is sent as it is", last: {}, wanted: { a: 1 }, sent: { a: 1 } },
  { name: "what was applied and is no longer wanted is removed", last: { a: 1, b: 2 }, wanted: { a: 1 }, sent: { a: 1, b: null } },
  { name: "deeper, too", last: { in: { a: 1, b: 2 } }, wanted: { in: { b: 3 } }, sent: { in: { b: 3, a: null } } },
  { name: "lists are replaced", last: { list: [1, 2] }, wanted: { list: [1] }, sent: { list: [1] } },
  { name: "a value that becomes an object is replaced", last: { a: 1 }, wanted: { a: { b: 1 } }, sent: { a: { b: 1 } } },
];
for (const { name, last, wanted, sent } of rows) {
  test(`threeWayPatch: ${name}`, () => {
    assert.deepEqual((threeWayPatch(applied(last), draft(wanted)) as { spec: object }).spec, sent);
  });
}

test("an object that was never applied loses nothing", () => {
  assert.deepEqual((threeWayPatch(object({ own: 1 }), draft({ a: 1 })) as { spec: object }).spec, { a: 1 });
});

test("the annotation holds the object without itself, also the second time, and the argument is not changed", () => {
  const given = draft({ a: 1 });
  const once = withLastApplied(given);
  assert.deepEqual(withLastApplied(once), once);
  assert.deepEqual(given, draft({ a: 1 }));
  assert.deepEqual(JSON.parse(once.metadata.annotations?.[LAST] ?? ""), { ...draft({ a: 1 }), metadata: { name: "a", annotations: {} } });
});

test("isSame: versions, times, owners of fields and the status do not count; what users write does", () => {
  const before = object({ a: 1, b: { c: 2 } }, { x: "1" });
  const later = { ...before, metadata: { ...before.metadata, resourceVersion: "9", managedFields: [{}] }, status: { ready: true } } as unknown as KubeObject;
  assert.equal(isSame(before, later), true);
  assert.equal(isSame(before, object({ b: { c: 2 }, a: 1 }, { x: "1" })), true, "keys have no order");
  assert.equal(isSame(before, object({ a: 1, b: { c: 3 } }, { x: "1" })), false);
  assert.equal(isSame(before, object({ a: 1, b: { c: 2 } }, { x: "2" })), false);
});
