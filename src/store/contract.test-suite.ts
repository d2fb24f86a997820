// What every store must do; each implementation's test file calls this with a way to open one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { property, readWhile } from "./history.test-suite.ts";
import type { Store, StoreEvent } from "./port.ts";

/** Opens an empty store with a watch window of about `windowBytesMax`. */
export type OpenStore = (options: { readonly windowBytesMax?: number }) => Promise<Store>;

const text = (body: string) => (revision: number) => JSON.stringify({ revision, body });
const put = (store: Store, key: string, body: string, expect: number | "absent" | "any" = "any") =>
  store.put({ key, encode: text(body), expect, durability: "durable" });
const body = (value: string | undefined): unknown => (value === undefined ? undefined : (JSON.parse(value) as { body: string }).body);

/** A planted fault: its snapshots begin at the newest revision, whatever is asked for. */
function showingNewest(store: Store): Store {
  return {
    get revision() {
      return store.revision;
    },
    get durableRevision() {
      return store.durableRevision;
    },
    get: (key) => store.get(key),
    list: (options) => store.list(options),
    count: (prefix) => store.count(prefix),
    put: (write) => store.put(write),
    delete: (removal) => store.delete(removal),
    watch: (options) => store.watch(options),
    snapshot: ({ prefix }) => store.snapshot({ prefix }),
    close: () => store.close(),
  };
}

export function storeContract(name: string, open: OpenStore): void {
  test(`${name}: a value is encoded with its own revision, and read back`, async () => {
    const store = await open({});
    const written = await put(store, "/a/1", "one");
    assert.equal(written.ok, true);
    const entry = await store.get("/a/1");
    assert.equal(entry?.revision, store.revision);
    assert.deepEqual(JSON.parse(entry?.value ?? ""), { revision: store.revision, body: "one" });
    assert.equal(store.durableRevision, store.revision);
    await store.close();
  });

  test(`${name}: expectations are checked against the newest write, also one that is not on disk yet`, async () => {
    const store = await open({});
    const first = store.put({ key: "/k", encode: text("1"), expect: "absent", durability: "rebuildable" });
    const second = store.put({ key: "/k", encode: text("2"), expect: "absent", durability: "durable" });
    const revision = await first.then((w) => (w.ok ? w.revision : -1));
    assert.deepEqual((await second).ok, false);
    assert.equal((await put(store, "/k", "3", revision)).ok, true);
    const stale = await put(store, "/k", "4", revision);
    assert.equal(stale.ok, false);
    assert.equal(stale.ok ? "" : body(stale.current?.value), "3");
    assert.deepEqual(await store.delete({ key: "/none", encode: text(""), expect: "any", durability: "durable" }), { ok: false, current: undefined });
    await store.close();
  });

  test(`${name}: lists are in order of keys, paged, and show writes that are not on disk yet`, async () => {
    const store = await open({});
    await Promise.all(["/p/c", "/p/a", "/q/x", "/p/e"].map((key) => put(store, key, key)));
    void store.put({ key: "/p/b", encode: text("/p/b"), expect: "any", durability: "rebuildable" });
    void store.delete({ key: "/p/e", encode: text(""), expect: "any", durability: "rebuildable" });
    void store.put({ key: "/p/d", encode: text("/p/d"), expect: "any", durability: "rebuildable" });
    const all = await store.list({ prefix: "/p/" });
    assert.deepEqual(
      all.entries.map((e) => e.key),
      ["/p/a", "/p/b", "/p/c", "/p/d"],
    );
    assert.equal(all.more, false);
    assert.equal(await store.count("/p/"), 4);
    const page = await store.list({ prefix: "/p/", limit: 2 });
    assert.deepEqual([page.entries.map((e) => e.key), page.more], [["/p/a", "/p/b"], true]);
    const rest = await store.list({ prefix: "/p/", after: "/p/b", limit: 2 });
    assert.deepEqual([rest.entries.map((e) => e.key), rest.more], [["/p/c", "/p/d"], false]);
    for (const whole of ["/p/c", "/p/d"])
      assert.deepEqual(
        (await store.list({ prefix: whole })).entries.map((e) => e.key),
        [whole],
      );
    assert.deepEqual((await store.list({ prefix: "/p/c", after: "/p/c" })).entries, []);
    await store.close();
  });

  test(`${name}: a snapshot shows one revision page by page, whatever is written meanwhile, and can be opened again later`, async () => {
    const store = await open({});
    for (const key of ["/s/a", "/s/b", "/s/c", "/s/d", "/t/x"]) await put(store, key, key);
    const then = store.revision;
    const snapshot = store.snapshot({ prefix: "/s/" });
    const first = await snapshot.next(2);
    await put(store, "/s/a", "behind the reader");
    await put(store, "/s/c", "changed");
    await put(store, "/s/c", "changed twice");
    await store.delete({ key: "/s/d", encode: text("gone"), expect: "any", durability: "durable" });
    void store.put({ key: "/s/bb", encode: text("new"), expect: "any", durability: "rebuildable" });
    assert.equal(await snapshot.remaining(), 2);
    const second = await snapshot.next(2);
    const shown = [...first.entries, ...second.entries].map((entry) => [entry.key, body(entry.value)]);
    const state = ["/s/a", "/s/b", "/s/c", "/s/d"].map((key) => [key, key]);
    assert.deepEqual([shown, first.more, second.more, snapshot.revision], [state, true, false, then]);
    assert.equal(await snapshot.remaining(), 0);
    snapshot.close();
    const again = store.snapshot({ prefix: "/s/", after: "/s/b", at: then });
    assert.deepEqual(
      (await again.next(9)).entries.map(({ key, value, revision }) => [key, body(value), revision === (JSON.parse(value) as { revision: number }).revision]),
      [
        ["/s/c", "/s/c", true],
        ["/s/d", "/s/d", true],
      ],
    );
    again.close();
    await store.close();
  });

  test(`${name}: pages of large values are short, and none is lost`, async () => {
    const store = await open({});
    const keys = ["/l/a", "/l/b", "/l/c", "/l/d", "/l/e"];
    for (const key of keys) await put(store, key, "x".repeat(700_000));
    const snapshot = store.snapshot({ prefix: "/l/" });
    const seen: string[] = [];
    for (let more = true; more;) {
      const page = await snapshot.next(100);
      seen.push(...page.entries.map(({ key }) => key));
      more = page.more;
    }
    assert.deepEqual(seen, keys);
    snapshot.close();
    await store.close();
  });

  test(`${name}: any history, read in any pages while it goes on, shows the state at the first page's revision`, async () => {
    await property(async (history) => assert.deepEqual(await readWhile(await open({}), history), []));
  });

  test(`${name}: the check of histories finds a store that shows the newest state instead`, async () => {
    const found: string[] = [];
    await assert.rejects(
      property(async (history) => {
        const wrong = await readWhile(showingNewest(await open({})), history);
        found.push(...wrong);
        assert.deepEqual(wrong, []);
      }),
    );
    assert.match(found.at(-1) ?? "", /^at \d+ .*, read /);
  });

  test(`${name}: watchers get every change of their prefix once, in order, from any revision in the window`, async () => {
    const store = await open({});
    const start = store.revision;
    const seen: StoreEvent[] = [];
    const stop = store.watch({ prefix: "/w/", after: start, visibility: "durable", onEvents: (events) => seen.push(...events) });
    const first = await put(store, "/w/1", "a");
    await put(store, "/other", "x");
    await put(store, "/w/1", "b");
    await store.delete({ key: "/w/1", encode: text("gone"), expect: "any", durability: "durable" });
    assert.deepEqual(
      seen.map((e) => [e.type, body(e.value), body(e.previous)]),
      [
        ["put", "a", undefined],
        ["put", "b", "a"],
        ["delete", "gone", "b"],
      ],
    );
    assert.deepEqual(
      [...seen].sort((a, b) => a.revision - b.revision),
      seen,
    );
    const late: StoreEvent[] = [];
    store.watch({ prefix: "/w/", after: first.ok ? first.revision : 0, visibility: "immediate", onEvents: (events) => late.push(...events) })();
    assert.deepEqual(
      late.map((e) => body(e.value)),
      ["b", "gone"],
    );
    stop();
    await put(store, "/w/2", "c");
    assert.equal(seen.length, 3);
    await store.close();
  });

  test(`${name}: immediate watchers see a write before it is on disk`, async () => {
    const store = await open({});
    const seen: string[] = [];
    store.watch({ prefix: "/", after: store.revision, visibility: "immediate", onEvents: (events) => seen.push(...events.map((e) => e.key)) });
    void store.put({ key: "/now", encode: text(""), expect: "any", durability: "rebuildable" });
    assert.deepEqual(seen, ["/now"]);
    await store.close();
  });

  test(`${name}: a watch from before the window is Expired, and the window stays within its bytes`, async () => {
    const store = await open({ windowBytesMax: 10_000 });
    const start = store.revision;
    for (let i = 0; i < 50; i++) await put(store, "/big", "x".repeat(1_000));
    assert.throws(
      () => store.snapshot({ prefix: "/", at: start }),
      (error) => isReason(error, "Expired"),
    );
    assert.throws(
      () => store.watch({ prefix: "/", after: start, visibility: "durable", onEvents: () => undefined }),
      (error) => isReason(error, "Expired"),
    );
    store.watch({ prefix: "/", after: store.revision, visibility: "durable", onEvents: () => undefined })();
    await store.close();
  });
}
