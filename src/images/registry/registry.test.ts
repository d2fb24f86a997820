// The distribution API over a real socket and a real store: what the conformance suite does not look at.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../digest.ts";
import { CONFIG_TYPE, INDEX_TYPE, MANIFEST_TYPE } from "../oci.ts";
import { parseContentRange, parseRange } from "./byte-range.ts";
import { parsePath } from "./registry-path.ts";
import { registryWorld, type World } from "./registry-world.test-suite.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const paths: readonly (readonly [string, ReturnType<typeof parsePath>])[] = [
  ["/v2/", { of: "base" }],
  ["/v2/_catalog", { of: "catalog" }],
  ["/v2/a/b/manifests/v1", { of: "manifest", repository: "a/b", reference: "v1" }],
  ["/v2/a/blobs/uploads/", { of: "uploads", repository: "a" }],
  ["/v2/a/blobs/uploads/x", { of: "upload", repository: "a", id: "x" }],
  [`/v2/a/blobs/${DIGEST}`, { of: "blob", repository: "a", digest: DIGEST }],
  ["/v2/tags/list/tags/list", { of: "tags", repository: "tags/list" }],
  [`/v2/a/referrers/${DIGEST}`, { of: "referrers", repository: "a", digest: DIGEST }],
  ["/v2/A/tags/list", { of: "wrongName", name: "A" }],
  ["/v2/a/../b/tags/list", { of: "wrongName", name: "a/../b" }],
  ["/v2/a", undefined],
  ["/", undefined],
];
for (const [path, want] of paths) test(`parsePath: ${path}`, () => assert.deepEqual(parsePath(path), want));

const ranges: readonly (readonly [string | undefined, ReturnType<typeof parseRange>])[] = [
  [undefined, undefined],
  ["bytes=0-0", { start: 0, end: 0 }],
  ["bytes=5-", { start: 5, end: 9 }],
  ["bytes=-3", { start: 7, end: 9 }],
  ["bytes=-30", { start: 0, end: 9 }],
  ["bytes=5-100", { start: 5, end: 9 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=5-1", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=0-1,3-4", undefined],
  ["lines=0-1", undefined],
];
for (const [header, want] of ranges) test(`parseRange: ${header ?? "none"} of ten bytes`, () => assert.deepEqual(parseRange(header, 10), want));

test("parseContentRange: both spellings, and nothing else", () => {
  assert.deepEqual(["0-9", "bytes 5-9/10", "9-0", "x"].map(parseContentRange), [{ start: 0, end: 9 }, { start: 5, end: 9 }, undefined, undefined]);
});

const config = (digest: string, size: number) => ({ mediaType: CONFIG_TYPE, digest, size });
async function pushImage(world: World, repository: string, tag: string): Promise<{ readonly digest: string; readonly blob: string }> {
  const blob = await world.push(repository, "{}");
  const { status, headers } = await world.pushManifest(repository, tag, { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: config(blob, 2), layers: [] });
  assert.equal(status, 201);
  return { digest: String(headers["docker-content-digest"]), blob };
}

test("what was pushed is found under the registry's address, and what was built is found in the registry", async (t) => {
  const world = await registryWorld(t);
  await world.store.own.serveAs(["localhost:5000"]);
  const { digest } = await pushImage(world, "team/app", "v1");
  assert.equal(await world.store.resolve("localhost:5000/team/app:v1"), digest);
  await world.store.tag("hello:v2", digest);
  const { status, headers } = await world.ask("HEAD /v2/index.docker.io/library/hello/manifests/v2");
  assert.deepEqual([status, headers["docker-content-digest"]], [200, digest]);
  assert.deepEqual(JSON.parse((await world.ask("GET /v2/_catalog")).body), { repositories: ["index.docker.io/library/hello", "team/app"] });
});

test("a blob of one repository is not seen in another before it is mounted there", async (t) => {
  const world = await registryWorld(t);
  const blob = await world.push("a", "hello");
  assert.equal((await world.ask(`GET /v2/b/blobs/${blob}`)).code, "BLOB_UNKNOWN");
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: config(blob, 5), layers: [] };
  assert.deepEqual(await world.pushManifest("b", "v1", manifest).then(({ status, code }) => [status, code]), [404, "MANIFEST_BLOB_UNKNOWN"]);
  assert.equal((await world.ask(`POST /v2/b/blobs/uploads/?mount=${blob}&from=c`)).status, 202, "c has none: an upload has to follow");
  assert.equal((await world.ask(`POST /v2/b/blobs/uploads/?mount=${blob}&from=a`)).status, 201);
  assert.equal((await world.ask(`GET /v2/b/blobs/${blob}`)).body, "hello");
  assert.equal((await world.pushManifest("b", "v1", manifest)).status, 201);
  assert.equal((await world.ask(`DELETE /v2/a/blobs/${blob}`)).status, 202);
  assert.equal((await world.ask(`GET /v2/b/blobs/${blob}`)).status, 200);
});

test("an upload goes on after a restart of the platform, where its status says", async (t) => {
  const world = await registryWorld(t);
  const location = String((await world.ask("POST /v2/a/blobs/uploads/")).headers["location"]);
  assert.equal((await world.ask(`PATCH ${location}`, "hello ", { "content-range": "0-5" })).headers["range"], "0-5");
  await world.restart();
  const { status, headers } = await world.ask(`GET ${location}`);
  assert.deepEqual([status, headers["range"]], [204, "0-5"]);
  assert.deepEqual(await world.ask(`PATCH ${location}`, "x", { "content-range": "3-3" }).then((reply) => [reply.status, reply.headers["range"]]), [416, "0-5"]);
  const digest = digestOf(Buffer.from("hello world"));
  assert.equal((await world.ask(`PUT ${location}?digest=${digest}`, "world", { "content-range": "6-10" })).status, 201);
  assert.equal((await world.ask(`GET /v2/a/blobs/${digest}`, "", { range: "bytes=6-" })).body, "world");
  assert.equal((await world.ask(`GET ${location}`)).code, "BLOB_UPLOAD_UNKNOWN");
});

test("an upload whose connection broke goes on from what had come", async (t) => {
  const world = await registryWorld(t);
  const location = String((await world.ask("POST /v2/a/blobs/uploads/")).headers["location"]);
  const bytes = randomBytes(3 << 20);
  const socket = connect(world.registry.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`PATCH ${location} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, 2 << 20));
  const came = async (line: string) => {
    const { status, headers } = await world.ask(line);
    return { status, size: Number(/^0-(\d+)$/.exec(String(headers["range"]))?.[1] ?? 0) + 1 };
  };
  while ((await came(`GET ${location}`)).size < 1 << 20);
  assert.equal((await came(`PATCH ${location}`)).status, 409, "one writes at a time");
  socket.destroy();
  // The break is noticed in the server's own turn.
  let state = await came(`PATCH ${location}`);
  while (state.status === 409) state = await came(`PATCH ${location}`);
  assert.ok(state.size >= 1 << 20 && state.size <= 2 << 20, String(state.size));
  const range = { "content-range": `${state.size}-${bytes.length - 1}` };
  assert.equal((await world.ask(`PUT ${location}?digest=${digestOf(bytes)}`, bytes.subarray(state.size), range)).status, 201);
});

test("a wrong digest and a wrong length are refused, and leave neither blob nor upload", async (t) => {
  const world = await registryWorld(t);
  const begin = async () => String((await world.ask("POST /v2/a/blobs/uploads/")).headers["location"]);
  assert.deepEqual(await world.ask(`PUT ${await begin()}?digest=${DIGEST}`, "hello").then(({ status, code }) => [status, code]), [400, "DIGEST_INVALID"]);
  assert.deepEqual(await world.ask(`POST /v2/a/blobs/uploads/?digest=${DIGEST}`, "hello").then(({ status, code }) => [status, code]), [400, "DIGEST_INVALID"]);
  assert.deepEqual(await world.ask(`PUT ${await begin()}?digest=md5:1`).then(({ status, code }) => [status, code]), [400, "DIGEST_INVALID"]);
  const kept = await begin();
  assert.equal((await world.ask(`PATCH ${kept}`, "hello", { "content-range": "0-9" })).code, "SIZE_INVALID");
  assert.equal((await world.ask(`GET ${kept}`)).headers["range"], "0-0");
  assert.equal((await world.ask(`DELETE ${kept}`)).status, 204);
  const left = readdirSync(join(world.dir, "uploads"));
  assert.equal(left.length, 1, "the one whose digest could not be read may be gone on with");
  assert.deepEqual(readdirSync(join(world.dir, "blobs/sha256")), []);
});

const refused: readonly {
  readonly name: string;
  readonly line: string;
  readonly body?: string;
  readonly type?: string;
  readonly want: readonly [number, string];
}[] = [
  { name: "a name in capitals", line: "GET /v2/Hello/tags/list", want: [400, "NAME_INVALID"] },
  { name: "a repository that is not there", line: "GET /v2/a/tags/list", want: [404, "NAME_UNKNOWN"] },
  { name: "a manifest that is not there", line: "GET /v2/a/manifests/v1", want: [404, "MANIFEST_UNKNOWN"] },
  { name: "a manifest that is none", line: "PUT /v2/a/manifests/v1", body: "{", want: [400, "MANIFEST_INVALID"] },
  { name: "a manifest of the old schema", line: "PUT /v2/a/manifests/v1", body: '{"schemaVersion":1}', want: [400, "MANIFEST_INVALID"] },
  {
    name: "a manifest sent as something else",
    line: "PUT /v2/a/manifests/v1",
    body: `{"schemaVersion":2,"mediaType":"${INDEX_TYPE}","manifests":[]}`,
    type: MANIFEST_TYPE,
    want: [400, "MANIFEST_INVALID"],
  },
  { name: "a manifest under another's digest", line: `PUT /v2/a/manifests/${DIGEST}`, body: '{"manifests":[]}', want: [400, "DIGEST_INVALID"] },
  { name: "a manifest that is too large", line: "PUT /v2/a/manifests/v1", body: " ".repeat((4 << 20) + 1), want: [413, "SIZE_INVALID"] },
  { name: "a blob by no digest", line: "GET /v2/a/blobs/x", want: [400, "DIGEST_INVALID"] },
  { name: "a method that nobody has", line: "POST /v2/a/tags/list", want: [405, "UNSUPPORTED"] },
  { name: "a path that nobody has", line: "GET /v1/", want: [404, "UNSUPPORTED"] },
  { name: "a page of no number", line: "GET /v2/_catalog?n=x", want: [400, "UNSUPPORTED"] },
];
for (const { name, line, body, type, want } of refused) {
  test(`the registry refuses ${name}`, async (t) => {
    const world = await registryWorld(t);
    const { status, code } = await world.ask(line, body, type === undefined ? {} : { "content-type": type });
    assert.deepEqual([status, code], want);
  });
}

test("tags come in pages, each with a link to the next", async (t) => {
  const world = await registryWorld(t);
  for (const tag of ["b", "a", "c"]) await pushImage(world, "x", tag);
  const seen: string[][] = [];
  for (let path: string | undefined = "/v2/x/tags/list?n=2"; path !== undefined;) {
    const { body, headers } = await world.ask(`GET ${path}`);
    seen.push((JSON.parse(body) as { tags: string[] }).tags);
    path = /^<([^>]+)>; rel="next"$/.exec(String(headers["link"] ?? ""))?.[1];
  }
  assert.deepEqual(seen, [["a", "b"], ["c"]]);
});

test("a deleted manifest takes its tags along and is no referrer any more; a deleted tag nothing else", async (t) => {
  const world = await registryWorld(t);
  const { digest, blob } = await pushImage(world, "x", "v1");
  await world.store.tag("eider.local/x:v2", digest);
  const subject = { mediaType: MANIFEST_TYPE, digest, size: 1 };
  const signature = await world.pushManifest("x", "sig", {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { ...config(blob, 2), mediaType: "application/sig" },
    layers: [],
    subject,
  });
  assert.equal(signature.headers["oci-subject"], digest);
  const referrers = async (query = "") =>
    (JSON.parse((await world.ask(`GET /v2/x/referrers/${digest}${query}`)).body) as { manifests: { artifactType: string }[] }).manifests;
  assert.deepEqual(
    (await referrers()).map((each) => each.artifactType),
    ["application/sig"],
  );
  assert.deepEqual(await referrers("?artifactType=other"), []);
  assert.equal((await world.ask(`DELETE /v2/x/manifests/${String(signature.headers["docker-content-digest"])}`)).status, 202);
  assert.deepEqual(await referrers(), []);
  assert.equal((await world.ask("DELETE /v2/x/manifests/v1")).status, 202);
  assert.equal((await world.ask("GET /v2/x/manifests/v2")).status, 200);
  assert.equal((await world.ask(`DELETE /v2/x/manifests/${digest}`)).status, 202);
  assert.equal((await world.ask("GET /v2/x/manifests/v2")).status, 404);
  assert.ok(world.changes > 0);
});

test("begun uploads have a limit", async (t) => {
  const world = await registryWorld(t);
  for (let at = 0; at < 256; at++) await world.store.uploads.begin("eider.local/a");
  const { status, code, headers } = await world.ask("POST /v2/a/blobs/uploads/");
  assert.deepEqual([status, code, headers["retry-after"]], [429, "TOOMANYREQUESTS", "10"]);
});
