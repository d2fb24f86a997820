// The watches of sources over changes, restarts and their end: what each has told is kept as long as it is the source's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endsInitialEvents, type Client, type WatchEvent, type WatchQuery } from "#client";
import { SeededRng, silentLogger, SimClock, type Marks, type MarksShelf } from "#core";
import { ConfigMap, Secret } from "#kinds";
import type { Kind, KubeObject } from "#schema";
import type { ToldMark } from "./known.ts";
import { ApiWatches, type SourceConfig } from "./watches.ts";

class MemoryShelf implements MarksShelf<ToldMark> {
  readonly shelf = new Map<string, Map<string, ToldMark>>();
  async open(owner: string): Promise<Marks<ToldMark>> {
    const of = (): Map<string, ToldMark> => this.shelf.get(owner) ?? new Map<string, ToldMark>();
    return {
      get: (key) => of().get(key),
      entries: () => of().entries(),
      set: async (key, mark) => void this.shelf.set(owner, of().set(key, mark)),
      delete: async (key) => void of().delete(key),
    };
  }
  async remove(owner: string): Promise<void> {
    this.shelf.delete(owner);
  }
  async owners(): Promise<readonly string[]> {
    return [...this.shelf.keys()];
  }
}

const key = { namespace: "ns", name: "s" };
const config = (uid: string, kinds: readonly Kind[], url = "http://sink/"): SourceConfig => ({
  uid,
  namespace: "ns",
  mode: "Reference",
  resources: kinds.map((kind) => ({ kind, labelSelector: "" })),
  namespaces: ["ns"],
  filters: [],
  overrides: {},
  host: "https://10.0.0.1:443",
  target: { url },
});
const maps = ConfigMap as unknown as Kind;
const secrets = Secret as unknown as Kind;

/** A platform's life on what an API has: one object a kind of that version. */
async function life(shelf: MemoryShelf, versions: Readonly<Record<string, string>>, run: (watches: ApiWatches, settle: () => Promise<void>) => Promise<void>) {
  const told: string[] = [];
  const over = new AbortController();
  const clock = new SimClock();
  async function* watch(kind: Kind, _: WatchQuery, signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const metadata = { name: kind.plural, namespace: "ns", uid: kind.plural, resourceVersion: versions[kind.plural] ?? "1" };
    yield { type: "ADDED", object: { apiVersion: "v1", kind: kind.kind, metadata } as KubeObject };
    const end = { metadata: { resourceVersion: "100", annotations: { "k8s.io/initial-events-end": "true" } } } as unknown as KubeObject;
    assert.ok(endsInitialEvents({ type: "BOOKMARK", object: end }));
    yield { type: "BOOKMARK", object: end };
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  const watches = new ApiWatches({
    client: { watch, list: async () => ({ items: [{ metadata: { uid: "one" } }], resourceVersion: "" }) } as unknown as Client,
    send: async ({ target }, { attributes }) => void told.push(`${attributes["type"]?.split(".").at(-1)} ${attributes["name"]} ${target.url}`),
    marks: shelf,
    wake: () => undefined,
    clock,
    rng: new SeededRng(1),
    logger: silentLogger,
    signal: over.signal,
  });
  const done = watches.run();
  await run(watches, () => clock.advance(1));
  over.abort();
  await done;
  return told;
}

test("a source's watches go on over a restart and beside new ones; what is not watched any more is forgotten", async () => {
  const shelf = new MemoryShelf();
  const one = (versions: Readonly<Record<string, string>>, kinds: readonly Kind[]): Promise<string[]> =>
    life(shelf, versions, async (watches, settle) => {
      watches.follow(key, config("one", kinds));
      await settle();
      assert.notEqual(watches.inForce(key), undefined);
    });
  assert.deepEqual(await one({}, [maps]), []);
  assert.deepEqual(await one({ configmaps: "2" }, [maps]), ["update configmaps http://sink/"]);
  assert.deepEqual(await one({ configmaps: "3" }, [maps, secrets]), ["update configmaps http://sink/"]);
  assert.deepEqual(await one({ configmaps: "4", secrets: "2" }, [secrets]), ["update secrets http://sink/"]);
  assert.deepEqual(await one({ configmaps: "5", secrets: "2" }, [maps, secrets]), []);
});

test("resources are changed while their watches run: those that stay have told what they have told", async () => {
  const told = await life(new MemoryShelf(), {}, async (watches, settle) => {
    watches.follow(key, config("one", [maps]));
    await settle();
    watches.follow(key, config("one", [maps, secrets], "http://other/"));
    await settle();
    assert.notEqual(watches.inForce(key), undefined);
  });
  assert.deepEqual(told, []);
});

test("what a source has told goes with it, by its controller, by another of its name, or at the next start", async () => {
  const shelf = new MemoryShelf();
  const owners = (): string[] => [...shelf.shelf.keys()].sort();
  await life(shelf, {}, async (watches, settle) => {
    watches.follow(key, config("one", [maps]));
    watches.follow({ namespace: "ns", name: "t" }, config("two", [maps]));
    await settle();
    assert.deepEqual(owners(), ["one", "two"]);
    watches.follow(key, config("three", [maps]));
    await settle();
    assert.deepEqual(owners(), ["three", "two"]);
    watches.stop(key);
    await settle();
    assert.deepEqual(owners(), ["two"]);
  });
  await life(shelf, {}, (_, settle) => settle());
  assert.deepEqual(owners(), []);
});
