// Watches as outside clients see them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, golden, goldenText, openWatch, type Fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const SITES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const MERGE = { "content-type": "application/merge-patch+json" };
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

async function withMaps(...names: string[]): Promise<Fixture> {
  const made = await fixture();
  for (const name of names) await ask(made.server, `POST ${MAPS}`, { metadata: { name, labels: { color: "red" } } });
  return made;
}

test("from a resourceVersion: later changes only, spliced from the stored text", async () => {
  const { server, store } = await withMaps("a");
  const watch = await openWatch(server, `${MAPS}?watch=true&resourceVersion=${store.revision}`);
  const first = watch.next();
  const patched = await ask(server, `PATCH ${MAPS}/a`, { data: { x: "1" } }, MERGE);
  assert.deepEqual(await first, { type: "MODIFIED", object: patched.json });
  const created = await ask(server, `POST ${MAPS}`, { metadata: { name: "b" } });
  assert.deepEqual(await watch.next(), { type: "ADDED", object: created.json });
  await ask(server, `DELETE ${MAPS}/b`);
  const deleted = await watch.next();
  assert.deepEqual([deleted?.type, deleted?.object.metadata.resourceVersion], ["DELETED", String(store.revision)]);
  await watch.close();
});

test("without a resourceVersion, or from 0, what exists comes first as ADDED", async () => {
  const { server } = await withMaps("a", "b");
  for (const query of ["", "&resourceVersion=0"]) {
    const watch = await openWatch(server, `${MAPS}?watch=1${query}`);
    const names = [(await watch.next())?.object.metadata.name, (await watch.next())?.object.metadata.name];
    assert.deepEqual(names, ["a", "b"]);
    await watch.close();
  }
});

test("one name: the others are not seen, not even those that begin with it", async () => {
  const { server, store } = await withMaps();
  const watch = await openWatch(server, `${MAPS}?watch=true&fieldSelector=metadata.name%3Dm&resourceVersion=${store.revision}`);
  const first = watch.next();
  await ask(server, `POST ${MAPS}`, { metadata: { name: "m-2" } });
  await ask(server, `POST ${MAPS}`, { metadata: { name: "m" } });
  assert.equal((await first)?.object.metadata.name, "m");
  await watch.close();
});

test("an object that enters or leaves the selection is ADDED or DELETED", async () => {
  const { server, store } = await withMaps("a");
  const watch = await openWatch(server, `/api/v1/configmaps?watch=true&labelSelector=color%3Dblue&resourceVersion=${store.revision}`);
  const steps = ["blue", "blue", "red"];
  const first = watch.next();
  for (const [at, color] of steps.entries()) await ask(server, `PATCH ${MAPS}/a`, { metadata: { labels: { color } }, data: { at: String(at) } }, MERGE);
  const events = [await first, await watch.next(), await watch.next()];
  assert.deepEqual(
    events.map((event) => [event?.type, event?.object.metadata.labels?.["color"]]),
    [
      ["ADDED", "blue"],
      ["MODIFIED", "blue"],
      ["DELETED", "blue"],
    ],
  );
  assert.equal(events[2]?.object.metadata.resourceVersion, String(store.revision));
  await watch.close();
});

test("streaming lists end with the bookmark that client-go waits for", async () => {
  const { server, store } = await withMaps();
  const watch = await openWatch(server, `${SITES}?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true`);
  const end = await watch.next();
  assert.deepEqual(end, JSON.parse(goldenText("watch-initial-events-crd-empty.jsonl").replace("405", String(store.revision))));
  await watch.close();
});

test("bookmarks come once a minute and before the end, unless there is nothing new to tell; timeoutSeconds ends the stream", async () => {
  const { server, store, clock } = await withMaps();
  const watch = await openWatch(server, `${MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=${store.revision}`);
  const first = watch.next();
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "elsewhere" } });
  await clock.advance(60_000);
  assert.deepEqual(await first, { type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: String(store.revision) } } });
  const last = watch.next();
  await clock.advance(28_000);
  assert.equal((await last)?.type, "BOOKMARK");
  const end = watch.next();
  await clock.advance(2_000);
  assert.equal(await end, undefined);
  const quiet = await openWatch(server, `${MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=50&resourceVersion=${store.revision}`);
  const nothing = quiet.next();
  await clock.advance(50_000);
  assert.equal(await nothing, undefined);
  assert.equal(clock.waiting, 0);
});

test("a version that the window has lost ends in an ERROR event inside a good response", async () => {
  const { server } = await fixture({}, { startRevision: 1329 });
  const watch = await openWatch(server, `${MAPS}?watch=true&resourceVersion=1`);
  assert.equal(watch.status, 200);
  assert.deepEqual(await watch.next(), JSON.parse(goldenText("err-410-watch.jsonl")));
  assert.equal(await watch.next(), undefined);
});

test("rows of a table: columns with the first event only", async () => {
  const { server } = await withMaps("a", "b");
  const watch = await openWatch(server, `${MAPS}?watch=true`, TABLE);
  const [first, second] = [await watch.next(), await watch.next()];
  const columns = [first, second].map((event) => event?.object["columnDefinitions"] as unknown[] | null | undefined);
  assert.deepEqual([first?.object.kind, columns[0]?.length, columns[1]], ["Table", 2, null]);
  const rows = second?.object["rows"] as { cells: unknown[] }[] | undefined;
  assert.equal(rows?.[0]?.cells[0], "b");
  await watch.close();
});

test("a watch of the future waits for it, and shows nothing of what comes before", async () => {
  const { server, store } = await withMaps();
  const watch = await openWatch(server, `${MAPS}?watch=true&resourceVersion=${store.revision + 1}`);
  const first = watch.next();
  await ask(server, `POST ${MAPS}`, { metadata: { name: "early" } });
  await ask(server, `POST ${MAPS}`, { metadata: { name: "late" } });
  assert.equal((await first)?.object.metadata.name, "late");
  await watch.close();
});

test("what exists is shown as it was when the watch began, then what came meanwhile", async () => {
  const { server } = await withMaps(...Array.from({ length: 150 }, (_, at) => `m${String(at).padStart(3, "0")}`));
  const watch = await openWatch(server, `${MAPS}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`);
  const first = await watch.next();
  await ask(server, `PATCH ${MAPS}/m149`, { data: { late: "1" } }, MERGE);
  await ask(server, `DELETE ${MAPS}/m148`);
  const events = [first];
  for (let count = 0; count < 152; count++) events.push(await watch.next());
  assert.deepEqual(new Set(events.slice(0, 150).map((event) => event?.type)), new Set(["ADDED"]));
  assert.ok(events.slice(0, 150).every((event) => event?.object["data"] === undefined));
  assert.deepEqual(
    events.slice(150).map((event) => [event?.type, event?.object.metadata.name]),
    [
      ["BOOKMARK", undefined],
      ["MODIFIED", "m149"],
      ["DELETED", "m148"],
    ],
  );
  await watch.close();
});

test("the deprecated path in front watches a collection, or one object", async () => {
  const { server, store } = await withMaps("a", "b");
  const revision = store.revision;
  await ask(server, `PATCH ${MAPS}/a`, { data: { x: "1" } }, MERGE);
  await ask(server, `PATCH ${MAPS}/b`, { data: { x: "1" } }, MERGE);
  for (const [path, name] of [
    ["/api/v1/watch/namespaces/default/configmaps", "a"],
    ["/api/v1/watch/namespaces/default/configmaps/b", "b"],
    ["/api/v1/watch/configmaps", "a"],
  ] as const) {
    const watch = await openWatch(server, `${path}?resourceVersion=${revision}`);
    assert.equal((await watch.next())?.object.metadata.name, name, path);
    await watch.close();
  }
  assert.equal((await ask(server, "GET /api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Da")).status, 400);
  assert.equal((await ask(server, "DELETE /api/v1/watch/namespaces/default/configmaps/b")).status, 405);
});

test("an event is encoded once for all thousand who watch it in the same form", async () => {
  const { server, store } = await withMaps();
  const target = `${MAPS}?watch=true&resourceVersion=${store.revision}`;
  const open = async (headers: Record<string, string>): Promise<AsyncIterator<Uint8Array>> => {
    const answer = await server.handle({ method: "GET", target, headers: { authorization: "Bearer good", ...headers } });
    return (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  };
  const bodies = await Promise.all(Array.from({ length: 1_000 }, () => open({})));
  const table = await open(TABLE);
  const pieces = bodies.map((body) => body.next());
  const row = table.next();
  await ask(server, `POST ${MAPS}`, { metadata: { name: "a" } });
  const values = new Set((await Promise.all(pieces)).map(({ value }) => value as Uint8Array));
  assert.equal(values.size, 1, "all have the same bytes, not equal ones");
  assert.equal(values.has((await row).value as Uint8Array), false);
  for (const body of [...bodies, table]) await body.return?.();
});

test("an aborted watch leaves nothing behind", async () => {
  const { server, clock } = await withMaps();
  const watch = await openWatch(server, `${MAPS}?watch=true&allowWatchBookmarks=true`);
  await watch.next();
  const next = watch.next();
  await watch.close();
  assert.equal(await next, undefined);
  assert.equal(clock.waiting, 0);
});

test("wrong combinations of list options are refused as Kubernetes does", async () => {
  const { server } = await withMaps();
  const table = [
    ["watch=true&sendInitialEvents=true", golden("err-422-initial-events.json")["message"]],
    ["sendInitialEvents=true", 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
    [
      "watch=true&resourceVersionMatch=NotOlderThan",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    [
      "resourceVersionMatch=Exact",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      "resourceVersionMatch=Exact&resourceVersion=0",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "resourceVersionMatch=Some&resourceVersion=1",
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Some": supported values: "Exact", "NotOlderThan", ""',
    ],
  ];
  for (const [query, message] of table) assert.equal((await ask(server, `GET ${MAPS}?${query as string}`)).json.message, message);
});
