// What a watch tells: nothing of before, every change after, and what it missed while it was broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, WatchEvent, WatchQuery } from "#client";
import { SeededRng, silentLogger, SimClock, StatusError, type Marks } from "#core";
import { ConfigMap } from "#kinds";
import type { Kind, KubeObject } from "#schema";
import { changeEvent } from "./change-event.ts";
import { forgetOthers, Known, type ToldMark } from "./known.ts";
import { runWatcher } from "./watcher.ts";

const object = (name: string, resourceVersion: string): KubeObject =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "ns", uid: name, resourceVersion, creationTimestamp: "" } }) as KubeObject;
const end = {
  type: "BOOKMARK",
  object: { metadata: { resourceVersion: "9", annotations: { "k8s.io/initial-events-end": "true" } } },
} as unknown as WatchEvent<KubeObject>;
const event = (type: WatchEvent<KubeObject>["type"], name: string, version: string): WatchEvent<KubeObject> => ({ type, object: object(name, version) });

const bookmark = (version: string): WatchEvent<KubeObject> =>
  ({ type: "BOOKMARK", object: { metadata: { resourceVersion: version } } }) as unknown as WatchEvent<KubeObject>;

class MemoryMarks implements Marks<ToldMark> {
  readonly marks = new Map<string, ToldMark>();
  fails = false;
  get = (key: string): ToldMark | undefined => this.marks.get(key);
  entries = (): Iterable<readonly [string, ToldMark]> => this.marks.entries();
  async set(key: string, mark: ToldMark): Promise<void> {
    if (this.fails) throw new Error("no space");
    this.marks.set(key, mark);
  }
  async delete(key: string): Promise<void> {
    if (this.fails) throw new Error("no space");
    this.marks.delete(key);
  }
}

interface Given {
  readonly emit?: () => Promise<void>;
  /** The platform ends while this one waits for its sink. */
  readonly endsAt?: string;
  /** Of the process before. */
  readonly marks?: MemoryMarks;
  /** Versions that the window does not hold any more. */
  readonly expired?: readonly string[];
}

/** Each watch tells its events and breaks; after the last one the test is over. One that goes on behind a version says so. */
async function told(
  watches: readonly (readonly WatchEvent<KubeObject>[])[],
  { emit, endsAt, marks = new MemoryMarks(), expired = [] }: Given = {},
): Promise<string[]> {
  const over = new AbortController();
  const clock = new SimClock();
  const lines: string[] = [];
  let at = 0;
  async function* watch(_: unknown, { resourceVersion }: WatchQuery): AsyncGenerator<WatchEvent<KubeObject>> {
    if (resourceVersion !== undefined) {
      lines.push(`behind ${resourceVersion}`);
      if (expired.includes(resourceVersion)) throw new StatusError("Expired", "too old resource version");
    }
    yield* watches[at++] ?? [];
    if (at >= watches.length) over.abort();
    else throw new Error("broken");
  }
  const done = runWatcher(
    {
      client: { watch } as unknown as Client,
      kind: ConfigMap as unknown as Kind,
      namespace: "ns",
      labelSelector: "",
      known: async () => new Known(marks, { watch: "w", whole: false }),
      async emit(change, { metadata }) {
        const line = `${change} ${metadata.name} ${metadata.resourceVersion}`;
        await emit?.();
        if (line === endsAt) over.abort();
        else lines.push(line);
      },
      onSynced: () => lines.push("synced"),
      clock,
      rng: new SeededRng(1),
      logger: silentLogger,
    },
    over.signal,
  );
  for (let turn = 0; turn < watches.length + expired.length; turn++) await clock.advance(60_000);
  await done;
  return lines;
}

test("what existed is not told, what happens afterwards is", async () => {
  const lines = await told([[event("ADDED", "a", "1"), end, event("MODIFIED", "a", "2"), event("ADDED", "b", "3"), event("DELETED", "a", "4")]]);
  assert.deepEqual(lines, ["synced", "update a 2", "add b 3", "delete a 4"]);
});

test("a watch that broke goes on behind what it has told, and behind its bookmarks", async () => {
  const lines = await told([
    [event("ADDED", "a", "1"), end],
    [event("MODIFIED", "a", "10"), bookmark("12")],
    [event("DELETED", "a", "13"), event("ADDED", "b", "14")],
  ]);
  assert.deepEqual(lines, ["synced", "behind 9", "synced", "update a 10", "behind 12", "synced", "delete a 13", "add b 14"]);
});

test("where the window has moved on, what exists is compared with what was known: nothing that came, changed or went is left out, nothing is told twice", async () => {
  const lines = await told(
    [
      [event("ADDED", "a", "1"), event("ADDED", "b", "2"), event("ADDED", "c", "3"), end],
      [event("ADDED", "a", "1"), event("ADDED", "b", "5"), event("ADDED", "d", "6"), end, event("MODIFIED", "a", "7")],
    ],
    { expired: ["9"] },
  );
  assert.deepEqual(lines, ["synced", "behind 9", "update b 5", "add d 6", "delete c 3", "synced", "update a 7"]);
});

test("a watch that breaks before it has told what exists has told nothing, not even of what is gone since", async () => {
  const watches = [
    [event("ADDED", "a", "1"), event("ADDED", "c", "1")],
    [event("ADDED", "a", "1"), event("ADDED", "b", "2"), end],
  ];
  assert.deepEqual(await told(watches), ["synced"]);
});

test("a change whose event could not be handed on is told by the next watch", async () => {
  let fails = true;
  const emit = async (): Promise<void> => {
    if (!fails) return;
    fails = false;
    throw new Error("no");
  };
  const watches = [[end, event("ADDED", "a", "10")], [event("ADDED", "a", "10")]];
  assert.deepEqual(await told(watches, { emit }), ["synced", "behind 9", "synced", "add a 10"]);
});

test("over a restart: what changed, came and went meanwhile is told, and what no sink has taken; the rest is not", async () => {
  const marks = new MemoryMarks();
  const before = [event("ADDED", "a", "1"), event("ADDED", "b", "2"), event("ADDED", "c", "3"), end, event("MODIFIED", "a", "10"), event("ADDED", "d", "11")];
  // The platform ends while a sink is told of d.
  assert.deepEqual(await told([before], { marks, endsAt: "add d 11" }), ["synced", "update a 10"]);
  const after = [event("ADDED", "a", "10"), event("ADDED", "b", "20"), event("ADDED", "d", "11"), end];
  assert.deepEqual(await told([after], { marks }), ["update b 20", "add d 11", "delete c 3", "synced"]);
  assert.deepEqual(await told([after], { marks }), ["synced"]);
});

test("marks that cannot be kept stop nothing; those of other watches are forgotten", async () => {
  const marks = new MemoryMarks();
  marks.fails = true;
  assert.deepEqual(await told([[event("ADDED", "a", "1"), end, event("ADDED", "b", "10")]], { marks }), ["synced", "add b 10"]);
  marks.fails = false;
  await told([[event("ADDED", "a", "1"), end]], { marks });
  marks.marks.set("other", "begun").set("other a", object("a", "1"));
  await forgetOthers(marks, new Set(["w"]));
  assert.deepEqual([...marks.marks.keys()], ["w a", "w"]);
});

test("changeEvent: a reference or the whole, with what finds it again", () => {
  const its = { uid: "u", host: "https://10.0.0.1:443", overrides: { Team: "red" }, time: "t" };
  const change = { change: "add", kind: ConfigMap as unknown as Kind, object: object("a", "1") } as const;
  const { attributes, data } = changeEvent(change, { ...its, mode: "Reference" });
  const { id, ...rest } = attributes;
  assert.deepEqual(rest, {
    type: "dev.knative.apiserver.ref.add",
    source: "https://10.0.0.1:443",
    subject: "/apis/v1/namespaces/ns/configmaps/a",
    time: "t",
    datacontenttype: "application/json",
    apiversion: "v1",
    kind: "ConfigMap",
    name: "a",
    namespace: "ns",
    team: "red",
  });
  assert.deepEqual(JSON.parse(data), { apiVersion: "v1", kind: "ConfigMap", name: "a", namespace: "ns" });
  const whole = changeEvent(change, { ...its, mode: "Resource" });
  assert.deepEqual([whole.attributes["type"], whole.attributes["id"], JSON.parse(whole.data)], ["dev.knative.apiserver.resource.add", id, object("a", "1")]);
  assert.notEqual(changeEvent({ ...change, change: "update" }, { ...its, mode: "Reference" }).attributes["id"], id);
});
