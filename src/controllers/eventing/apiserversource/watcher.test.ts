// What a watch tells: nothing of before, every change after, and what it missed while it was broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, WatchEvent } from "#client";
import { SeededRng, silentLogger, SimClock } from "#core";
import { ConfigMap } from "#kinds";
import type { Kind, KubeObject } from "#schema";
import { changeEvent } from "./change-event.ts";
import { runWatcher } from "./watcher.ts";

const object = (name: string, resourceVersion: string): KubeObject =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "ns", uid: name, resourceVersion, creationTimestamp: "" } }) as KubeObject;
const end = { type: "BOOKMARK", object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } } as unknown as WatchEvent<KubeObject>;
const event = (type: WatchEvent<KubeObject>["type"], name: string, version: string): WatchEvent<KubeObject> => ({ type, object: object(name, version) });

/** Each watch tells its events and breaks; after the last one the test is over. */
async function told(watches: readonly (readonly WatchEvent<KubeObject>[])[], emit?: () => Promise<void>): Promise<string[]> {
  const over = new AbortController();
  const clock = new SimClock();
  const lines: string[] = [];
  let at = 0;
  async function* watch(): AsyncGenerator<WatchEvent<KubeObject>> {
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
      keep: (one) => one,
      async emit(change, { metadata }) {
        await emit?.();
        lines.push(`${change} ${metadata.name} ${metadata.resourceVersion}`);
      },
      onSynced: () => lines.push("synced"),
      clock,
      rng: new SeededRng(1),
      logger: silentLogger,
    },
    over.signal,
  );
  for (let turn = 0; turn < watches.length; turn++) await clock.advance(60_000);
  await done;
  return lines;
}

test("what existed is not told, what happens afterwards is", async () => {
  const lines = await told([[event("ADDED", "a", "1"), end, event("MODIFIED", "a", "2"), event("ADDED", "b", "3"), event("DELETED", "a", "4")]]);
  assert.deepEqual(lines, ["synced", "update a 2", "add b 3", "delete a 4"]);
});

test("a watch that broke is compared with what was known: nothing that came, changed or went is left out, nothing is told twice", async () => {
  const lines = await told([
    [event("ADDED", "a", "1"), event("ADDED", "b", "2"), event("ADDED", "c", "3"), end],
    [event("ADDED", "a", "1"), event("ADDED", "b", "5"), event("ADDED", "d", "6"), end, event("MODIFIED", "a", "7")],
  ]);
  assert.deepEqual(lines, ["synced", "update b 5", "add d 6", "delete c 3", "synced", "update a 7"]);
});

test("a watch that breaks before it has told what exists has told nothing", async () => {
  assert.deepEqual(await told([[event("ADDED", "a", "1")], [event("ADDED", "a", "1"), event("ADDED", "b", "2"), end]]), ["synced"]);
});

test("a change whose event could not be handed on is told by the next watch", async () => {
  let fails = true;
  const emit = async (): Promise<void> => {
    if (!fails) return;
    fails = false;
    throw new Error("no");
  };
  assert.deepEqual(
    await told(
      [
        [end, event("ADDED", "a", "1")],
        [event("ADDED", "a", "1"), end],
      ],
      emit,
    ),
    ["synced", "add a 1", "synced"],
  );
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
