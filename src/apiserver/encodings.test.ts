// Requests and answers in protobuf: what clients that never fall back to JSON send and get.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileKind, envelope, messages, type TypeMeta } from "#schema";
import { ask, fixture, Papers } from "./fixture.test-suite.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const SENT = { "content-type": PROTOBUF };
const papers = compileKind(Papers);

function body(object: unknown, type: Partial<TypeMeta> = {}): Uint8Array {
  return envelope({ apiVersion: "v1", kind: "ConfigMap", ...type }, [papers.protobuf?.encode(object) ?? new Uint8Array()]);
}

test("an object sent as protobuf is created", async () => {
  const { server } = await fixture();
  const { status, json } = await ask(server, "POST /api/v1/namespaces/default/configmaps", body({ metadata: { name: "a" }, data: { x: "1" } }), SENT);
  assert.equal(status, 201);
  assert.deepEqual((json as { data?: unknown }).data, { x: "1" });
});

test("a Scale and DeleteOptions sent as protobuf are understood", async () => {
  const { server } = await fixture();
  const path = "/apis/apps/v1/namespaces/default/gadgets/g";
  await ask(server, "POST /apis/apps/v1/namespaces/default/gadgets", { metadata: { name: "g" }, spec: { replicas: 1 } });
  const options = envelope({ apiVersion: "apps/v1", kind: "DeleteOptions" }, [messages.deleteOptions.encode({ gracePeriodSeconds: 7, dryRun: ["All"] })]);
  const deleted = await ask(server, `DELETE ${path}`, options, SENT);
  assert.equal(deleted.status, 200);
  assert.equal(deleted.json.metadata.deletionGracePeriodSeconds, 7);
  assert.equal((await ask(server, `GET ${path}`)).json.metadata.deletionTimestamp, undefined);
});

/** What a real server says of each. */
const BAD: readonly { readonly name: string; readonly body: Uint8Array; readonly message: string }[] = [
  { name: "nothing", body: new Uint8Array(), message: "the object provided is unrecognized (must be of type ConfigMap): empty data (<empty>)" },
  {
    name: "no prefix",
    body: Buffer.from("abc"),
    message:
      "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (616263)",
  },
  { name: "only the prefix", body: Buffer.from("k8s\0"), message: "the object provided is unrecognized (must be of type ConfigMap): empty body (6b387300)" },
  {
    name: "an envelope that ends too early",
    body: Buffer.from("k8s\0\x0a\xff", "latin1"),
    message: "the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b3873000aff)",
  },
  {
    name: "an object that ends too early",
    body: Buffer.from("k8s\0\x12\x04\x0a\x09\x0a\x02", "latin1"),
    message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF',
  },
  {
    name: "a number where a text should be",
    body: Buffer.from("k8s\0\x12\x04\x0a\x02\x08\x02", "latin1"),
    message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field Name',
  },
  {
    name: "another kind",
    body: body({ metadata: { name: "a" } }, { kind: "Gadget", apiVersion: "apps/v1" }),
    message: 'Gadget in version "apps/v1" cannot be handled as a ConfigMap: converting (v1.Gadget) to (core.ConfigMap): unknown conversion',
  },
];

for (const { name, body: sent, message } of BAD) {
  test(`bad protobuf is refused in Go's words: ${name}`, async () => {
    const { server } = await fixture();
    const answer = await ask(server, "POST /api/v1/namespaces/default/configmaps", sent, SENT);
    assert.deepEqual([answer.status, answer.json.message], [400, message]);
  });
}

test("messages within messages without end are refused, and memory stays", async () => {
  const { server } = await fixture();
  // Groups of an unknown field may nest; nothing is built of them.
  const groups = Buffer.concat([Buffer.from([0x12, 0x80, 0x80, 0x40]), Buffer.alloc(1 << 20, 0x7b)]);
  const { status } = await ask(server, "POST /api/v1/namespaces/default/configmaps", Buffer.concat([Buffer.from("k8s\0"), groups]), SENT);
  assert.equal(status, 400);
});

test("custom kinds have no protobuf", async () => {
  const { server } = await fixture();
  const { status } = await ask(server, "POST /apis/serving.knative.dev/v1/namespaces/default/services", body({ metadata: { name: "a" } }), SENT);
  assert.equal(status, 415);
});
