// The engine against a daemon in memory: what it asks for, and what it makes of a network that has ended.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { ImageStore } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import { PlaceLostError, type ContainerStart } from "../engine.ts";
import type { PodNames } from "../names/pod-names.ts";
import type { PodImages } from "../pod-images.ts";
import { containerEngine } from "./container-engine.ts";
import { StandInDaemon } from "./docker-stand-in.test-suite.ts";
import { LateDaemon } from "./late-daemon.ts";

const app: CoreContainer = { name: "app", image: "a" };
const sidecar: CoreContainer = { name: "beside", image: "a", restartPolicy: "Always" };
const pod = { metadata: { name: "p", namespace: "default", uid: "u1" }, spec: { initContainers: [sidecar], containers: [app] } } as unknown as Pod;

async function world(t: TestContext) {
  const daemon = await StandInDaemon.start(t);
  const folder = mkdtempSync(join(tmpdir(), "eider-engine-"));
  const over = new AbortController();
  t.after(() => {
    over.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = new SimClock();
  const outputFile = (_uid: string, container: string, restarts: number): string => join(folder, `${container}-${restarts}.log`);
  const engine = containerEngine({
    daemon: new LateDaemon({ asked: `unix://${daemon.path}`, env: {}, clock, logger: silentLogger }),
    // It has nothing: all images are the daemon's own.
    images: { resolve: async () => undefined, config: () => Promise.reject(new Error("none")) } as unknown as ImageStore,
    podImages: { forget: () => undefined } as unknown as PodImages,
    logger: silentLogger,
    platform: "here",
    onBridge: async () => undefined,
    names: { open: async () => undefined } as unknown as PodNames,
    signal: over.signal,
  })({ clock, outputFile, imageProgress: () => undefined });
  await engine.list();
  await engine.sweep(new Set());
  const start = async (container: CoreContainer, restarts: number): Promise<void> => {
    const shared = { id: `u1/${container.name}`, pod, container, restarts, imageDigest: "sha256:1", env: {}, mounts: [], hosts: [] };
    const place = { podIP: "10.1.0.2", hostIP: "10.1.0.1", sharesPorts: false };
    await engine.start({ ...shared, place, addresses: {}, outputFile: outputFile("u1", container.name, restarts) } as ContainerStart);
  };
  return { daemon, engine, start };
}

/** Without the names, which are long. */
const verbs = (asked: readonly string[]): string[] => asked.map((line) => line.replace(/ eider_p_(\w+)_\d_u1$/, " $1").replace(/ id\d+$/, " ID"));

test("a new pod's network is made, started and looked at, and so is its container: six words with the daemon", async (t) => {
  const { daemon, engine, start } = await world(t);
  await engine.open(pod);
  await start(app, 0);
  assert.deepEqual(verbs(daemon.asked), ["POST create network", "POST start network", "GET json network", "POST create app", "POST start app", "GET json app"]);
});

for (const [engineName, status] of [
  ["Docker", 409],
  ["Podman", 500],
] as const) {
  test(`what an attempt that was cut off has made is found by its name: ${engineName}'s answer`, async (t) => {
    const { daemon, engine, start } = await world(t);
    await engine.open(pod);
    await start(app, 0);
    const before = [...daemon.containers.keys()];
    // Another engine, which knows of nothing.
    const other = await world(t);
    other.daemon.takenStatus = status;
    for (const [id, container] of daemon.containers) other.daemon.containers.set(`old-${id}`, { ...container, Id: `old-${id}` });
    assert.equal((await other.engine.open(pod)).podIP, "10.1.0.2");
    await other.start(app, 0);
    assert.deepEqual(
      [before, [...other.daemon.containers.keys()]],
      [
        ["id1", "id2"],
        ["old-id1", "id1"],
      ],
      "its network is used, its container replaced",
    );
  });
}

test("a restart in a network that has ended is refused: the pod is opened again, and what still ran in the old one is ended", async (t) => {
  const { daemon, engine, start } = await world(t);
  await engine.open(pod);
  await start(sidecar, 0);
  await start(app, 0);
  daemon.named("network").State.Running = false;
  daemon.named("app").State.Running = false;
  await assert.rejects(start(app, 1), PlaceLostError);
  await assert.rejects(start(app, 1), PlaceLostError, "until it was opened again");
  await engine.open(pod);
  assert.equal(daemon.named("beside").State.Running, false);
  await start(app, 1);
  assert.equal(daemon.named("app_1").State.Running, true);
});

test("a first start that fails is the container's own fault, unless the network has ended", async (t) => {
  const { daemon, engine, start } = await world(t);
  await engine.open(pod);
  daemon.broken.add(daemon.named("network").Name.replace("network", "app"));
  await assert.rejects(start(app, 0), /it does not start/);
  daemon.named("network").State.Running = false;
  await assert.rejects(start(app, 0), PlaceLostError);
});

test("freeze and thaw reach every container of the pod, sidecars too, and no other; an ended one is passed over", async (t) => {
  const { daemon, engine, start } = await world(t);
  await engine.open(pod);
  await start(sidecar, 0);
  await start(app, 0);
  const paused = (): boolean[] => ["beside", "app", "network"].map((name) => daemon.named(name).State.Paused);
  await engine.freeze(pod);
  assert.deepEqual(paused(), [true, true, false]);
  await engine.freeze({ ...pod, metadata: { ...pod.metadata, uid: "u" } });
  await engine.thaw(pod);
  assert.deepEqual(paused(), [false, false, false]);
  daemon.named("app").State.Running = false;
  await engine.freeze(pod);
  assert.deepEqual(paused(), [true, false, false]);
});
