// What a collection takes and what it leaves: by tag, by need, by freshness, beside pushes.
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { collectGarbage, GRACE_MS } from "./garbage.ts";
import { CONFIG_TYPE, MANIFEST_TYPE } from "./oci.ts";
import { registryWorld, type World } from "./registry/registry-world.test-suite.ts";

const DAY_MS = 24 * 3_600_000;

interface AgingWorld extends World {
  /** Everything in the store is older by so much: files bear the machine's own time. */
  age(ms: number): void;
  collect(options?: CollectOptions): ReturnType<typeof collectGarbage>;
}

interface CollectOptions {
  readonly needed?: readonly string[];
  readonly pulledToo?: boolean;
}

async function agingWorld(t: TestContext): Promise<AgingWorld> {
  const world = await registryWorld(t);
  return Object.assign(world, {
    age(ms: number): void {
      for (const entry of readdirSync(world.dir, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        const found = statSync(path, { throwIfNoEntry: false });
        // Beside a collection files go while we look.
        if (found !== undefined && existsSync(path)) utimesSync(path, found.atimeMs / 1000, (found.mtimeMs - ms) / 1000);
      }
    },
    collect: (options?: CollectOptions) => collectGarbage(world.store, { needed: [], nowMs: Date.now(), ...options }),
  });
}

async function pushImage(world: World, reference: string, content: string, subject?: string): Promise<string> {
  const blob = await world.push("x", content);
  const { headers } = await world.pushManifest("x", reference, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: blob, size: content.length },
    layers: [],
    ...(subject === undefined ? {} : { subject: { mediaType: MANIFEST_TYPE, digest: subject, size: 1 } }),
  });
  return String(headers["docker-content-digest"]);
}

const there = (world: World): readonly string[] => readdirSync(join(world.dir, "blobs/sha256")).toSorted();

test("a tag keeps its image, and the signatures of it; without one both go", async (t) => {
  const world = await agingWorld(t);
  const digest = await pushImage(world, "v1", "one");
  await pushImage(world, "sig", "signature", digest);
  await world.ask("DELETE /v2/x/manifests/sig");
  world.age(2 * DAY_MS);
  assert.deepEqual(await world.collect(), { blobs: 0, bytes: 0, freshBytes: 0, nextMs: undefined });
  assert.equal(there(world).length, 4);
  await world.ask("DELETE /v2/x/manifests/v1");
  assert.equal((await world.collect()).blobs, 4);
  assert.deepEqual([there(world), readdirSync(join(world.dir, "repositories"))], [[], []]);
});

test("what a Revision or pod needs stays when its tag has moved on", async (t) => {
  const world = await agingWorld(t);
  const first = await pushImage(world, "latest", "one");
  const second = await pushImage(world, "latest", "two");
  world.age(2 * DAY_MS);
  await world.collect({ needed: [first] });
  assert.deepEqual([await world.store.resolve(`x@${first}`), await world.store.resolve("eider.local/x:latest")], [first, second]);
  await world.collect();
  assert.deepEqual([await world.store.resolve(`x@${first}`), await world.store.resolve("eider.local/x:latest")], [undefined, second]);
});

test("a push is not overtaken: its blobs have an hour, its untagged manifests a day, and what is asked for anew begins anew", async (t) => {
  const world = await agingWorld(t);
  const blob = await world.push("x", "layer");
  const old = await world.push("x", "forgotten");
  world.age(GRACE_MS - 60_000);
  const fresh = await world.collect();
  assert.equal(fresh.blobs, 0);
  assert.ok(fresh.nextMs !== undefined && fresh.nextMs > Date.now() && fresh.nextMs <= Date.now() + 60_000);
  assert.equal((await world.ask(`HEAD /v2/x/blobs/${blob}`)).status, 200, "the client will not push it again");
  world.age(GRACE_MS - 60_000);
  assert.equal((await world.collect()).blobs, 1);
  assert.deepEqual([world.store.blobs.has(blob), world.store.blobs.has(old)], [true, false]);
  const manifest = await pushImage(world, "gone", "config");
  await world.ask("DELETE /v2/x/manifests/gone");
  world.age(DAY_MS - GRACE_MS);
  await world.collect();
  assert.equal(world.store.blobs.has(manifest), true);
});

test("pulled images stay until space is short, and then only those that are needed", async (t) => {
  const world = await agingWorld(t);
  const digest = await pushImage(world, "v1", "one");
  await world.store.pulled.set("registry.example.com/x:v1", digest);
  await world.ask("DELETE /v2/x/manifests/v1");
  world.age(2 * DAY_MS);
  await world.collect();
  await world.collect({ needed: [digest], pulledToo: true });
  assert.equal(await world.store.resolve("registry.example.com/x:v1"), digest);
  await world.collect({ pulledToo: true });
  assert.deepEqual([await world.store.resolve("registry.example.com/x:v1"), there(world)], [undefined, []]);
});

test("what killed processes left goes after a day, uploads that nobody goes on with, too", async (t) => {
  const world = await agingWorld(t);
  const left = join(world.dir, "partial/unknown.0.tmp");
  writeFileSync(left, "half");
  await world.ask("POST /v2/x/blobs/uploads/");
  await world.collect();
  assert.deepEqual([existsSync(left), readdirSync(join(world.dir, "uploads")).length], [true, 1]);
  world.age(DAY_MS + 60_000);
  await world.collect();
  assert.deepEqual([existsSync(left), readdirSync(join(world.dir, "uploads")).length], [false, 0]);
});

test("a blob that is touched at the last moment is given back", async (t) => {
  const world = await agingWorld(t);
  const blob = await world.push("x", "layer");
  await world.ask(`DELETE /v2/x/blobs/${blob}`);
  const path = world.store.blobs.path(blob);
  world.age(2 * GRACE_MS);
  // Between the look at its age and its move: as if a push asked for it just then.
  const { list } = world.store.tags;
  world.store.tags.list = async () => {
    utimesSync(path, new Date(), new Date());
    return list.call(world.store.tags);
  };
  assert.equal((await world.collect()).blobs, 0);
  assert.equal(world.store.blobs.has(blob), true);
});

test("pushes and collections side by side: whatever was pushed whole can be pulled", async (t) => {
  const world = await agingWorld(t);
  const over = new AbortController();
  const collecting = (async () => {
    while (!over.signal.aborted) await world.collect();
  })();
  t.after(() => collecting);
  const digests: string[] = [];
  for (let round = 0; round < 20; round++) {
    // All of them share a blob, which is old and nobody's at the beginning of each round.
    await world.ask("DELETE /v2/x/manifests/shared");
    world.age(2 * DAY_MS);
    digests.push(await pushImage(world, "shared", "the same"));
    assert.equal((await world.ask("GET /v2/x/manifests/shared")).status, 200, `round ${round}`);
    assert.equal((await world.store.blobsOf(digests[round] ?? "")).length, 2, `round ${round}`);
  }
  over.abort();
  await collecting;
});
