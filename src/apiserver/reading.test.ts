// Lists, pages, tables and partial objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeObject } from "#schema";
import { ask, fixture, golden, type Answer, type Fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const as = (form: string, version = "v1"): Record<string, string> => ({ accept: `application/json;as=${form};v=${version};g=meta.k8s.io,application/json` });

async function withMaps(...names: string[]): Promise<Fixture> {
  const made = await fixture();
  for (const name of names) await ask(made.server, `POST ${MAPS}`, { metadata: { name, labels: { half: name < "c" ? "first" : "second" } } });
  return made;
}

const namesOf = (answer: Answer): string[] => answer.json.items.map(({ metadata }) => metadata.name);

test("a list carries the store's revision and leaves kind and version out of built-in items", async () => {
  const { server, store } = await withMaps("a");
  const list = await ask(server, `GET ${MAPS}`);
  const { kind: _kind, apiVersion: _version, ...item } = (await ask(server, `GET ${MAPS}/a`)).json as unknown as KubeObject;
  assert.deepEqual(list.json, { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: String(store.revision) }, items: [item] });
});

interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}
const metaOf = (answer: Answer): ListMeta => answer.json.metadata;
const tokenOf = (answer: Answer): string => metaOf(answer).continue ?? "";

test("every page shows the state of the first, and tells how many objects follow", async () => {
  const { server, store } = await withMaps("a", "b", "c", "d", "e");
  const first = await ask(server, `GET ${MAPS}?limit=2`);
  const { revision } = store;
  await ask(server, `POST ${MAPS}`, { metadata: { name: "f" } });
  await ask(server, `DELETE ${MAPS}/d`);
  await ask(server, `PATCH ${MAPS}/c`, { data: { new: "1" } }, { "content-type": "application/merge-patch+json" });
  const second = await ask(server, `GET ${MAPS}?limit=2&continue=${tokenOf(first)}`);
  const last = await ask(server, `GET ${MAPS}?limit=2&continue=${tokenOf(second)}`);
  assert.deepEqual(
    [first, second, last].map((page) => [namesOf(page), metaOf(page).remainingItemCount, metaOf(page).resourceVersion]),
    [
      [["a", "b"], 3, String(revision)],
      [["c", "d"], 1, String(revision)],
      [["e"], undefined, String(revision)],
    ],
  );
  assert.equal("data" in (second.json.items[0] ?? {}), false, "c as it was");
  assert.equal("continue" in metaOf(last), false);
});

const write = fc.record({ name: fc.constantFrom(..."abcdefgh"), half: fc.constantFrom("first", "second"), gone: fc.boolean() });
const histories = fc.record({
  before: fc.array(write, { maxLength: 16 }),
  between: fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 6 }),
  limit: fc.integer({ min: 1, max: 5 }),
  selector: fc.constantFrom("", "&labelSelector=half%3Dfirst", "&labelSelector=half!%3Dfirst"),
});

/** The names on all pages of a list, with `writes` made after each; and those that its first page's state has. */
async function pagesOf(
  { server }: Fixture,
  { before, between, limit, selector }: typeof histories extends fc.Arbitrary<infer H> ? H : never,
): Promise<string[][]> {
  const run = async (writes: typeof before): Promise<void> => {
    for (const { name, half, gone } of writes) {
      const object = { metadata: { name, labels: { half } } };
      await ask(server, `POST ${MAPS}`, object);
      await ask(server, `${gone ? "DELETE" : "PUT"} ${MAPS}/${name}`, gone ? undefined : object);
    }
  };
  await run(before);
  const wanted = namesOf(await ask(server, `GET ${MAPS}?${selector}`));
  const seen: string[] = [];
  let query = `limit=${limit}${selector}`;
  for (let page = 0; query !== ""; page++) {
    const answer = await ask(server, `GET ${MAPS}?${query}`);
    seen.push(...namesOf(answer));
    query = tokenOf(answer) === "" ? "" : `limit=${limit}${selector}&continue=${tokenOf(answer)}`;
    await run(between[page] ?? []);
  }
  return [seen, wanted];
}

test("pages of any size are the state of the first, whatever is written between them", async () => {
  const check = async (history: Parameters<typeof pagesOf>[1]): Promise<void> => {
    const [seen, wanted] = await pagesOf(await fixture(), history);
    assert.deepEqual(seen, wanted);
  };
  await fc.assert(fc.asyncProperty(histories, check), { numRuns: 40, seed: 4 });
});

test("a long list comes in pieces, is one document and one state, and holds nothing once it is read", async () => {
  const { server, store } = await fixture();
  const data = { text: "x".repeat(4_000) };
  for (let at = 0; at < 200; at++) await ask(server, `POST ${MAPS}`, { metadata: { name: `m${1_000 + at}` }, data });
  const revision = store.revision;
  for (const [accept, members] of [
    ["application/json", "items"],
    [as("Table")["accept"], "rows"],
  ] as const) {
    const answer = await server.handle({ method: "GET", target: `${MAPS}?includeObject=Object`, headers: { authorization: "Bearer good", accept } });
    let text = "";
    let pieces = 0;
    for await (const piece of answer.body as AsyncIterable<string>) {
      if (pieces++ === 0) await ask(server, `DELETE ${MAPS}/m1199`);
      text += piece;
    }
    const list = JSON.parse(text) as { metadata: ListMeta } & Record<string, unknown[]>;
    assert.ok(pieces > 2, `${pieces} pieces`);
    assert.deepEqual([list[members]?.length, Number(list.metadata.resourceVersion) >= revision], [200, true]);
    await ask(server, `POST ${MAPS}`, { metadata: { name: "m1199" }, data });
  }
});

test("pages go on over all namespaces, each with its own limit", async () => {
  const { server } = await withMaps("a", "b");
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "other" } });
  await ask(server, "POST /api/v1/namespaces/other/configmaps", { metadata: { name: "c" } });
  const first = await ask(server, "GET /api/v1/configmaps?limit=1");
  const rest = await ask(server, `GET /api/v1/configmaps?limit=7&continue=${tokenOf(first)}`);
  assert.deepEqual([namesOf(first), namesOf(rest)], [["a"], ["b", "c"]]);
});

test("a page whose revision the window has lost is 410, with a token for the rest as it is now", async () => {
  const { server, store } = await fixture({}, { windowBytesMax: 5_000 });
  const name = (at: number): string => `m${at}`;
  for (let at = 0; at < 4; at++) await ask(server, `POST ${MAPS}`, { metadata: { name: name(at) } });
  const start = store.revision;
  const token = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: start, start: "m1\u0000" })).toString("base64url");
  for (let at = 0; at < 20; at++)
    await ask(server, `PATCH ${MAPS}/m0`, { data: { at: String(at).repeat(100) } }, { "content-type": "application/merge-patch+json" });
  await ask(server, `DELETE ${MAPS}/m2`);
  const expired = await ask(server, `GET ${MAPS}?limit=2&continue=${token}`);
  const recorded = golden("err-410-list-continue.json");
  const fresh = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: -1, start: "m1\u0000" })).toString("base64url");
  assert.deepEqual([expired.status, expired.json], [410, { ...recorded, metadata: { continue: fresh } }]);
  const rest = await ask(server, `GET ${MAPS}?limit=2&continue=${fresh}`);
  assert.deepEqual([namesOf(rest), metaOf(rest).resourceVersion], [["m3"], String(store.revision)]);
  const exact = await ask(server, `GET ${MAPS}?resourceVersionMatch=Exact&resourceVersion=${start}`);
  assert.deepEqual([exact.status, exact.json.message], [410, "The resourceVersion for the provided list is too old."]);
});

test("tokens that are none of ours are refused in Kubernetes' words", async () => {
  const { server } = await withMaps("a");
  const version = "meta.k8s.io/v1";
  const table: [string, string][] = [
    ["!!", "illegal base64 data at input byte 0"],
    ["abcde", "illegal base64 data at input byte 4"],
    ["rubbish", "invalid character '\u00ae' looking for beginning of value"],
    ["{", "unexpected end of JSON input"],
    ["[]", "json: cannot unmarshal array into Go value of type storage.continueToken"],
    ["{}", "server does not recognize this encoded version "],
    [JSON.stringify({ v: version }), `incorrect encoded start resourceVersion (version ${version})`],
    [JSON.stringify({ v: version, rv: "5" }), "json: cannot unmarshal string into Go struct field continueToken.rv of type int64"],
    [JSON.stringify({ v: version, rv: 5 }), `encoded start key empty (version ${version})`],
    [JSON.stringify({ v: version, rv: 5, start: "../a" }), "../a"],
  ];
  for (const [text, why] of table) {
    const token = /^\W/.test(text) && text !== "!!" ? Buffer.from(text).toString("base64url") : text;
    const answer = await ask(server, `GET ${MAPS}?continue=${token}`);
    assert.deepEqual([answer.status, answer.json.message], [400, `invalid continue token: continue key is not valid: ${why}`], text);
  }
  const good = Buffer.from(JSON.stringify({ v: version, rv: 5, start: "a" })).toString("base64url");
  const both = await ask(server, `GET ${MAPS}?continue=${good}&resourceVersion=5`);
  assert.deepEqual([both.status, both.json.message], [400, "specifying resource version is not allowed when using continue"]);
});

test("a page with a selector is full although much is passed over", async () => {
  const { server } = await withMaps("a", "b", "c", "d", "e");
  const page = await ask(server, `GET ${MAPS}?limit=2&labelSelector=half%3Dsecond`);
  assert.deepEqual(namesOf(page), ["c", "d"]);
  const { continue: token } = page.json.metadata as unknown as { continue: string };
  assert.deepEqual(namesOf(await ask(server, `GET ${MAPS}?limit=2&labelSelector=half%3Dsecond&continue=${token}`)), ["e"]);
});

test("selectors by label, by name, by namespace and by a kind's own field", async () => {
  const { server } = await withMaps("a", "c");
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "other" } });
  await ask(server, "POST /api/v1/namespaces/other/configmaps", { metadata: { name: "a" } });
  const table: [string, string[]][] = [
    ["/api/v1/configmaps", ["a", "c", "a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.name%3Da", ["a", "a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.namespace%3Dother", ["a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.namespace!%3Dother", ["a", "c"]],
    [`${MAPS}?fieldSelector=metadata.namespace%3Dother`, []],
    [`${MAPS}?fieldSelector=metadata.name%3Da,metadata.name%3Dc`, []],
    [`${MAPS}?labelSelector=half%20in%20(second)`, ["c"]],
  ];
  for (const [path, names] of table) assert.deepEqual(namesOf(await ask(server, `GET ${path}`)), names, path);
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" } });
  await ask(server, `PUT ${GADGETS}/g/status`, { metadata: { name: "g" }, status: { phase: "Running" } });
  assert.deepEqual(namesOf(await ask(server, `GET ${GADGETS}?fieldSelector=status.phase%3DRunning`)), ["g"]);
  assert.deepEqual(namesOf(await ask(server, `GET ${GADGETS}?fieldSelector=status.phase!%3DRunning`)), []);
});

test("tables carry metadata, nothing or the object in their rows", async () => {
  const { server } = await withMaps("a");
  const object = (await ask(server, `GET ${MAPS}/a`)).json as unknown as KubeObject;
  const rows = async (query: string, version = "v1"): Promise<unknown> =>
    (await ask(server, `GET ${MAPS}${query}`, undefined, as("Table", version))).json["rows"];
  assert.deepEqual(await rows(""), [
    { cells: ["a", "0s"], object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata } },
  ]);
  assert.deepEqual(await rows("?includeObject=None"), [{ cells: ["a", "0s"], object: null }]);
  assert.deepEqual(await rows("/a?includeObject=Object", "v1beta1"), [{ cells: ["a", "0s"], object }]);
  assert.equal((await ask(server, `GET ${MAPS}/a`, undefined, as("Table", "v1beta1"))).json["apiVersion"], "meta.k8s.io/v1beta1");
  assert.equal((await ask(server, `GET ${MAPS}?includeObject=Some`)).status, 400);
});

test("metadata alone, for one and for many", async () => {
  const { server } = await withMaps("a");
  const one = await ask(server, `GET ${MAPS}/a`, undefined, as("PartialObjectMetadata"));
  assert.deepEqual(Object.keys(one.json), ["kind", "apiVersion", "metadata"]);
  const many = await ask(server, `GET ${MAPS}`, undefined, as("PartialObjectMetadataList"));
  assert.deepEqual([many.json["kind"], many.json.items], ["PartialObjectMetadataList", [one.json]]);
});

test("a kind's own subresource is answered by its handler, below an object that exists", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" } });
  assert.equal((await ask(server, `GET ${GADGETS}/g/log?tailLines=3`)).text, "log of g 3\n");
  assert.equal((await ask(server, `GET ${GADGETS}/nosuch/log`)).status, 404);
  assert.equal((await ask(server, `PUT ${GADGETS}/g/log`, {})).status, 405);
});

test("a resourceVersion asks for a state that is not older, or for exactly that one", async () => {
  const { server, store } = await withMaps("a");
  const first = store.revision;
  await ask(server, `POST ${MAPS}`, { metadata: { name: "b" } });
  const now = store.revision;
  const table: [string, string[], number][] = [
    ["", ["a", "b"], now],
    ["resourceVersion=0", ["a", "b"], now],
    ["resourceVersion=0&limit=1", ["a", "b"], now],
    [`resourceVersion=${first}`, ["a", "b"], now],
    [`resourceVersion=${first}&limit=1`, ["a"], first],
    [`resourceVersion=${first}&resourceVersionMatch=Exact`, ["a"], first],
    [`resourceVersion=${first}&resourceVersionMatch=NotOlderThan&limit=1`, ["a"], now],
    [`resourceVersion=${first}&resourceVersionMatch=NotOlderThan`, ["a", "b"], now],
  ];
  for (const [query, names, revision] of table) {
    const list = await ask(server, `GET ${MAPS}?${query}`);
    assert.deepEqual([namesOf(list), metaOf(list).resourceVersion], [names, String(revision)], query);
  }
  assert.equal((await ask(server, `GET ${MAPS}/a?resourceVersion=${now}`)).status, 200);
});

test("numbers that are none are refused in Go's words", async () => {
  const { server } = await withMaps("a");
  const huge = "9".repeat(20);
  const syntax = (what: string, text: string): string => `strconv.${what}: parsing "${text}": invalid syntax`;
  const table: [string, number, string][] = [
    ["?resourceVersion=x", 400, `invalid resource version: resourceVersion: Invalid value: "x": ${syntax("ParseUint", "x")}`],
    ["?resourceVersion=-1", 400, `invalid resource version: resourceVersion: Invalid value: "-1": ${syntax("ParseUint", "-1")}`],
    [
      `?resourceVersion=${huge}`,
      400,
      `invalid resource version: resourceVersion: Invalid value: "${huge}": strconv.ParseUint: parsing "${huge}": value out of range`,
    ],
    ["?limit=1.5", 400, syntax("ParseInt", "1.5")],
    ["?limit=", 400, syntax("ParseInt", "")],
    [`?limit=${huge}`, 400, `strconv.ParseInt: parsing "${huge}": value out of range`],
    ["?timeoutSeconds=x", 400, syntax("ParseInt", "x")],
    ["/a?resourceVersion=x", 500, `resourceVersion: Invalid value: "x": ${syntax("ParseUint", "x")}`],
    ["?watch=1&resourceVersion=x", 500, `resourceVersion: Invalid value: "x": ${syntax("ParseUint", "x")}`],
  ];
  for (const [query, status, message] of table) {
    const answer = await ask(server, `GET ${MAPS}${query}`);
    assert.deepEqual([answer.status, answer.json.message, "reason" in answer.json], [status, message, status === 400], query);
  }
});

test("a resourceVersion of the future is waited for, three seconds at most", async () => {
  const { server, store, clock } = await withMaps("a");
  const next = store.revision + 1;
  for (const [query, names] of [
    [`resourceVersion=${next}`, ["a", "b"]],
    [`resourceVersion=${next + 1}&resourceVersionMatch=Exact`, ["a", "b", "c"]],
  ] as const) {
    const waiting = ask(server, `GET ${MAPS}?${query}`);
    await clock.advance(2_000);
    await ask(server, `POST ${MAPS}`, { metadata: { name: names.at(-1) } });
    assert.deepEqual(namesOf(await waiting), names);
  }
  for (const path of [`${MAPS}?resourceVersion=99999999`, `${MAPS}/a?resourceVersion=99999999`]) {
    const waiting = ask(server, `GET ${path}`);
    await clock.advance(3_000);
    const late = await waiting;
    const recorded = golden("err-504-rv-too-large.json");
    const message = `Timeout: Too large resource version: 99999999, current: ${store.revision}`;
    assert.deepEqual([late.status, late.json, late.headers["retry-after"]], [504, { ...recorded, message }, "1"]);
  }
  assert.equal(clock.waiting, 0);
});
