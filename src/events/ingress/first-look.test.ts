// The order of an ingress's answers before the body.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLook } from "./first-look.ts";

const granted = { status: 200, headers: { allow: "POST, OPTIONS", "webhook-allowed-origin": "*", "webhook-allowed-rate": "*" } };
const table: readonly { readonly given: readonly [method: string, url: string]; readonly want: unknown }[] = [
  { given: ["OPTIONS", "/"], want: granted },
  { given: ["OPTIONS", "/no/such/path"], want: granted },
  { given: ["GET", "/ns/b"], want: { status: 405 } },
  { given: ["PUT", "/"], want: { status: 405 } },
  { given: ["POST", "/"], want: { status: 404 } },
  { given: ["POST", "/ns"], want: { status: 400 } },
  { given: ["POST", "/ns/b/c"], want: { status: 400 } },
  { given: ["POST", "//b"], want: { status: 400 } },
  { given: ["POST", "/ns/b//"], want: { status: 400 } },
  { given: ["POST", "/ns/b"], want: { namespace: "ns", name: "b" } },
  { given: ["POST", "/ns/b/"], want: { namespace: "ns", name: "b" } },
  { given: ["POST", "/ns/b?x=/y"], want: { namespace: "ns", name: "b" } },
];
for (const { given, want } of table) test(`firstLook: ${given.join(" ")}`, () => assert.deepEqual(firstLook(...given), want));
