// Runaway clients: lists that nobody reads fill the seats for collections, and nothing else suffers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, KINDS, type Fixture } from "./fixture.test-suite.ts";
import type { ApiResponse } from "./index.ts";
import { COLLECTION_LIMITS } from "./seats.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";

/** Enough text for a list in several pieces. */
async function withLongList(): Promise<Fixture> {
  const made = await fixture({ kinds: KINDS.map((kind) => (kind.kind.plural === "gadgets" ? { ...kind, urgent: true } : kind)) });
  for (let at = 0; at < 8; at++) await ask(made.server, `POST ${MAPS}`, { metadata: { name: `m${at}` }, data: { text: "x".repeat(100_000) } });
  return made;
}

test("when too many wait, clients are told to come back; single objects, urgent kinds and watches go on", async () => {
  const { server, clock } = await withLongList();
  const stops = Array.from({ length: COLLECTION_LIMITS.seats + COLLECTION_LIMITS.waitingOfOneMax }, () => new AbortController());
  const list = (signal: AbortSignal): Promise<ApiResponse> =>
    server.handle({ method: "GET", target: MAPS, headers: { authorization: "Bearer good", "user-agent": "runaway" }, signal });
  const lists = stops.map(({ signal }) => list(signal));
  const seated = await Promise.all(lists.slice(0, COLLECTION_LIMITS.seats));
  assert.ok(seated.every(({ status }) => status === 200));
  const refused = await list(new AbortController().signal);
  assert.deepEqual([refused.status, refused.headers["retry-after"], refused.body], [429, "1", "Too many requests, please try again later.\n"]);
  assert.equal((await ask(server, `GET ${MAPS}/m0`)).status, 200);
  assert.equal((await ask(server, `PATCH ${MAPS}/m0`, { data: { x: "1" } }, { "content-type": "application/merge-patch+json" })).status, 200);
  assert.equal((await ask(server, `GET ${GADGETS}`)).status, 200, "an urgent kind");
  const polite = ask(server, `GET ${MAPS}`, undefined, { "user-agent": "polite" });
  stops[0]?.abort();
  stops[1]?.abort();
  assert.equal((await polite).status, 200, "the second in line: each client has its turn");
  for (const stop of stops) stop.abort();
  await Promise.all(lists);
  assert.equal((await ask(server, `GET ${MAPS}`)).status, 200);
  assert.equal(clock.waiting, 0);
});

test("a long list that its client gives up holds nothing", async () => {
  const { server, store } = await withLongList();
  let open = 0;
  const snapshot = store.snapshot.bind(store);
  store.snapshot = (options) => {
    open++;
    const made = snapshot(options);
    return { revision: made.revision, next: (limit) => made.next(limit), remaining: () => made.remaining(), close: () => (open--, made.close()) };
  };
  const stop = new AbortController();
  const unread = await server.handle({ method: "GET", target: MAPS, headers: { authorization: "Bearer good" }, signal: stop.signal });
  assert.deepEqual([unread.status, open], [200, 1]);
  stop.abort();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(open, 0, "not read at all");
  const half = await server.handle({ method: "GET", target: MAPS, headers: { authorization: "Bearer good" } });
  for await (const _ of half.body as AsyncIterable<string>) break;
  assert.equal(open, 0, "read in part");
  await ask(server, `GET ${MAPS}`);
  assert.equal(open, 0, "read to the end");
});

test("20,000 objects of a kind are listed and streamed in pieces that stay small", async () => {
  const { server, store } = await fixture();
  const OBJECTS = 20_000;
  const PIECE_MAX = 1 << 20;
  for (let at = 0; at < OBJECTS; at++) {
    const name = `m${at}`;
    const encode = (revision: number): string =>
      JSON.stringify({
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { name, namespace: "default", resourceVersion: String(revision) },
        data: { at: "x".repeat(200) },
      });
    await store.put({ key: `/core/configmaps/default/${name}`, encode, expect: "absent", durability: "rebuildable" });
  }
  const initial = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  for (const [query, each] of [
    ["", /"name":"m\d+"/g],
    [initial, /"type":"ADDED"/g],
  ] as const) {
    const answer = await server.handle({ method: "GET", target: `${MAPS}?${query}`, headers: { authorization: "Bearer good" } });
    let count = 0;
    let largest = 0;
    for await (const piece of answer.body as AsyncIterable<string | Uint8Array>) {
      const text = Buffer.from(piece).toString();
      count += text.match(each)?.length ?? 0;
      largest = Math.max(largest, text.length);
      if (text.includes("initial-events-end")) break;
    }
    assert.equal(count, OBJECTS, query);
    assert.ok(largest < PIECE_MAX, `a piece has ${largest} characters`);
  }
});
