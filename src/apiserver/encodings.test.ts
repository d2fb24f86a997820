// Requests and answers in protobuf: what clients that never fall back to JSON send and get.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { compileKind, envelope, messages, openEnvelope, watchFrame, type TypeMeta } from "#schema";
import { ask, fixture, Papers, type Fixture } from "./fixture.test-suite.ts";
import type { ApiServer } from "./index.ts";

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
    message: 'Gadget in version "v1" cannot be handled as a ConfigMap: converting (v1.Gadget) to (core.ConfigMap): unknown conversion',
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

const PAPERS = "/api/v1/namespaces/default/configmaps";

async function withPaper(): Promise<Fixture> {
  const made = await fixture();
  await ask(made.server, `POST ${PAPERS}`, { metadata: { name: "a", labels: { x: "1" } }, data: { text: "one\ntwo\n", empty: "" } });
  return made;
}

/** The bytes of an answer. */
async function bytesOf(server: ApiServer, target: string, accept: string): Promise<{ type: unknown; bytes: Buffer }> {
  const { headers, body: sent } = await server.handle({ method: "GET", target, headers: { authorization: "Bearer good", accept } });
  assert.ok(sent instanceof Uint8Array, "not bytes");
  return { type: headers["content-type"], bytes: Buffer.from(sent) };
}

test("an object, a list and metadata are answered as protobuf", async () => {
  const { server } = await withPaper();
  const { json: object } = await ask(server, `GET ${PAPERS}/a`);
  const one = await bytesOf(server, `${PAPERS}/a`, `${PROTOBUF},application/json`);
  assert.equal(one.type, PROTOBUF);
  assert.deepEqual(one.bytes, Buffer.from(body(object)));
  const list = openEnvelope((await bytesOf(server, PAPERS, PROTOBUF)).bytes);
  assert.deepEqual(list.type, { apiVersion: "v1", kind: "ConfigMapList" });
  const { json } = await ask(server, `GET ${PAPERS}`);
  const listed = [messages.listMeta.encodeField(1, json.metadata), papers.protobuf?.encodeField(2, object) ?? new Uint8Array()];
  assert.deepEqual(Buffer.from(list.message), Buffer.concat(listed));
  const metadata = openEnvelope((await bytesOf(server, `${PAPERS}/a`, `${PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`)).bytes);
  assert.deepEqual(metadata.type, { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata" });
  assert.deepEqual(Buffer.from(metadata.message), Buffer.from(messages.partialObjectMetadata.encode(object)));
});

test("a watch in protobuf has frames, bookmarks and errors among them", async () => {
  const { server } = await withPaper();
  const stop = new AbortController();
  const target = `${PAPERS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
  const headers = { authorization: "Bearer good", accept: PROTOBUF };
  const response = await server.handle({ method: "GET", target, headers, signal: stop.signal });
  assert.equal(response.headers["content-type"], `${PROTOBUF};stream=watch`);
  const pieces = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const { json: object } = await ask(server, `GET ${PAPERS}/a`);
  const first = await pieces.next();
  assert.deepEqual(Buffer.from(first.value as Uint8Array), Buffer.from(watchFrame("ADDED", body(object))));
  const second = Buffer.from((await pieces.next()).value as Uint8Array);
  assert.equal(second.readUInt32BE(0), second.length - 4);
  assert.ok(second.includes("BOOKMARK") && second.includes("k8s.io/initial-events-end"));
  stop.abort();
  await pieces.return?.();
});

test("custom kinds are refused as protobuf, in protobuf", async () => {
  const { server } = await fixture();
  const { type, bytes } = await bytesOf(server, "/apis/serving.knative.dev/v1/namespaces/default/services", PROTOBUF);
  assert.equal(type, PROTOBUF);
  assert.deepEqual(bytes, readFileSync(new URL("../../test/golden/kubernetes-api/ksvc-pb-406.json", import.meta.url)));
});

test("objects and lists are answered as YAML that says the same", async () => {
  const { server } = await withPaper();
  for (const target of [PAPERS, `${PAPERS}/a`, "/api/v1/namespaces/none/configmaps"]) {
    const yaml = await ask(server, `GET ${target}`, undefined, { accept: "application/yaml" });
    assert.equal(yaml.headers["content-type"], "application/yaml");
    assert.deepEqual(parse(yaml.text), (await ask(server, `GET ${target}`)).json, target);
  }
  assert.match(
    (await ask(server, `GET ${PAPERS}/a`, undefined, { accept: "application/yaml" })).text,
    /^apiVersion: v1\ndata:\n {2}empty: ""\n {2}text: \|\n {4}one\n/,
  );
});

test("JSON for people says the same, for those who ask and for terminals", async () => {
  const { server } = await withPaper();
  for (const target of [PAPERS, `${PAPERS}/a`, "/api/v1/namespaces/none/configmaps"]) {
    const { json } = await ask(server, `GET ${target}`);
    const wanted = JSON.stringify(json, undefined, 2);
    assert.equal((await ask(server, `GET ${target}?pretty=1`)).text, wanted);
    assert.equal((await ask(server, `GET ${target}`, undefined, { "user-agent": "curl/8.5.0" })).text, wanted);
    assert.equal((await ask(server, `GET ${target}?pretty=false`, undefined, { "user-agent": "curl/8.5.0" })).text, `${JSON.stringify(json)}\n`);
  }
});

const AVAILABLE = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
const ONLY = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
const META = "v=v1;g=meta.k8s.io";

/** What a real server answers to each. */
const ACCEPTS: readonly { readonly accept: string; readonly target?: string; readonly want: string }[] = [
  { accept: "*/*", want: "application/json ConfigMap" },
  { accept: "application/json;q=0.5,application/yaml", want: "application/yaml" },
  { accept: "application/json;q=0", want: "application/json ConfigMap" },
  { accept: "application/json;q=abc;foo=bar", want: "application/json ConfigMap" },
  { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", want: "application/json ConfigMap" },
  { accept: `application/json;as=Foo;${META},application/json`, want: "application/json ConfigMap" },
  { accept: `application/json;as=Table;${META}`, want: "application/json Table" },
  { accept: `application/json;as=PartialObjectMetadata;${META}`, want: "application/json PartialObjectMetadata" },
  { accept: "application/*", want: AVAILABLE },
  { accept: "text/html", want: AVAILABLE },
  { accept: "APPLICATION/JSON", want: AVAILABLE },
  { accept: "text/html", target: PAPERS, want: `${AVAILABLE}, ${STREAMS}` },
  { accept: "text/html", target: "/apis/serving.knative.dev/v1/namespaces/default/services", want: ONLY },
  { accept: "application/json;as=Table;v=v1", want: ONLY },
  { accept: "application/json;v=1", want: ONLY },
  { accept: `application/vnd.kubernetes.protobuf;as=Table;${META}`, want: ONLY },
  { accept: "application/yaml", target: `${PAPERS}?watch=1`, want: `only the following media types are accepted: ${STREAMS}` },
  {
    accept: `application/json;as=PartialObjectMetadataList;${META}`,
    want: "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
  },
  {
    accept: `application/json;as=PartialObjectMetadata;${META}`,
    target: PAPERS,
    want: "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
  },
];

for (const { accept, target = `${PAPERS}/a`, want } of ACCEPTS) {
  test(`Accept "${accept}" of ${target}`, async () => {
    const { server } = await withPaper();
    const { status, headers, text } = await ask(server, `GET ${target}`, undefined, { accept });
    const { kind = "", message = "" } = (headers["content-type"] === "application/yaml" ? parse(text) : JSON.parse(text)) as {
      kind?: string;
      message?: string;
    };
    if (status === 406) assert.equal(message, want);
    else assert.equal([headers["content-type"], ...(want.endsWith("yaml") ? [] : [kind])].join(" "), want);
  });
}
