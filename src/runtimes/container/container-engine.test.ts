// The engine against a daemon in memory: what it asks for, and what it makes of a network that has ended.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import type { ImageStore } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import { PlaceLostError, type ContainerStart } from "../engine.ts";
import type { PodNames } from "../names/pod-names.ts";
import type { PodImages } from "../pod-images.ts";
import { containerEngine } from "./container-engine.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { StandInDaemon, type StandInContainer } from "./docker-stand-in.test-suite.ts";
import { LateDaemon } from "./late-daemon.ts";

const app: CoreContainer = { name: "app", image: "a" };
const sidecar: CoreContainer = { name: "beside", image: "a", restartPolicy: "Always" };
const pod = { metadata: { name: "p", namespace: "default", uid: "u1" }, spec: { initContainers: [sidecar], containers: [app] } } as unknown as Pod;

interface WorldOptions {
  readonly isReachable?: boolean;
  readonly daemon?: StandInDaemon;
  /** While it does so nobody finds the daemon. */
  readonly hides?: () => boolean;
  /** The test sweeps. */
  readonly isUnswept?: boolean;
}

async function world(t: TestContext, { isReachable = false, daemon: given, hides = () => false, isUnswept = false }: WorldOptions = {}) {
  const daemon = given ?? (await StandInDaemon.start(t));
  if (isReachable) daemon.machine = hostname();
  const folder = mkdtempSync(join(tmpdir(), "eider-engine-"));
  const over = new AbortController();
  t.after(() => {
    over.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = new SimClock();
  let made = 0;
  let onMade: () => unknown = () => undefined;
  const debug = (message: string): void => {
    if (message === "a network was made ahead") made += 1;
    onMade();
  };
  const logger = { ...silentLogger, debug };
  const outputFile = (_uid: string, container: string, restarts: number): string => join(folder, `${container}-${restarts}.log`);
  const late = new LateDaemon({ asked: `unix://${daemon.path}`, env: {}, clock, logger: silentLogger });
  const engine = containerEngine({
    daemon: { there: undefined, why: "it hides", mayCome: true, look: async () => (hides() ? undefined : late.look()) },
    // It has nothing: all images are the daemon's own.
    images: { resolve: async () => undefined, config: () => Promise.reject(new Error("none")) } as unknown as ImageStore,
    podImages: { forget: () => undefined } as unknown as PodImages,
    logger,
    platform: "here",
    onBridge: async () => undefined,
    names: (isReachable ? NAMES : { open: async () => undefined }) as unknown as PodNames,
    rng: new SeededRng(1),
    dataDir: folder,
    signal: over.signal,
  })({ clock, outputFile, imageProgress: () => undefined });
  await engine.list();
  if (!isUnswept) await engine.sweep(new Set(["u1"]));
  const start = async (container: CoreContainer, restarts: number, of = pod): Promise<void> => {
    const shared = { id: `${of.metadata.uid}/${container.name}`, pod: of, container, restarts, imageDigest: "sha256:1", env: {}, mounts: [], hosts: [] };
    const place = { podIP: "10.1.0.2", hostIP: "10.1.0.1", sharesPorts: false };
    await engine.start({ ...shared, place, addresses: {}, outputFile: outputFile("u1", container.name, restarts) } as ContainerStart);
  };
  /** So many since the engine began, once the time for it has come. */
  const sparesMade = async (count: number): Promise<void> => {
    const all = new Promise<void>((resolve) => (onMade = () => made >= count && resolve()));
    onMade();
    await clock.advance(1_000);
    await all;
  };
  return { daemon, engine, start, sparesMade, over };
}

const NAMES = {
  open: async () => ({ nameserver: "10.2.0.10", api: "10.2.0.1" }),
  dnsFor: () => ({ nameservers: ["10.2.0.10"], searches: ["default.svc.cluster.local"], options: [] }),
};

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

const second = { ...pod, metadata: { ...pod.metadata, name: "q", uid: "u2" } } as Pod;
const spares = (daemon: StandInDaemon): string[] => [...daemon.containers.values()].filter(({ Name }) => Name.includes("spare")).map(({ Id }) => Id);

test("networks are made ahead once a pod has started, two of them; the next pod takes one, and mounts hosts and resolver of its own", async (t) => {
  const { daemon, engine, start, sparesMade } = await world(t, { isReachable: true });
  await engine.open(pod);
  assert.deepEqual(spares(daemon), [], "none before there is a pod");
  await start(app, 0);
  await sparesMade(2);
  const [first = ""] = spares(daemon);
  daemon.asked.length = 0;
  await engine.open(second);
  await start(app, 0, second);
  const asked = daemon.asked.filter((line) => line.startsWith("POST"));
  assert.deepEqual(
    asked.map((line) => line.split(" ")[1]),
    ["rename", "create", "start"],
  );
  assert.equal(daemon.containers.get(first)?.Name, "eider_q_network_0_u2");
  const { Mounts = [] } = daemon.bodies.get("eider_q_app_0_u2")?.HostConfig ?? {};
  assert.deepEqual(
    Mounts.map(({ Target, Source }) => [Target, readFileSync(Source, "utf8")]),
    [
      ["/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.1.0.2\tq\n10.1.0.1\thost.containers.internal host.docker.internal\n"],
      ["/etc/resolv.conf", "search default.svc.cluster.local\nnameserver 10.2.0.10\n"],
    ],
  );
  await sparesMade(3);
  assert.equal(spares(daemon).length, 2, "one in its place, and no more");
  await engine.close(second);
  assert.equal(daemon.containers.has(first), false, "it went with its pod");
  assert.equal(spares(daemon).length, 2);
});

test("a network that was made ahead and has ended is no pod's", async (t) => {
  const { daemon, engine, start, sparesMade } = await world(t, { isReachable: true });
  await engine.open(pod);
  await start(app, 0);
  await sparesMade(2);
  const [dead = "", alive = ""] = spares(daemon);
  const ended = daemon.containers.get(dead);
  assert.ok(ended !== undefined);
  ended.State.Running = false;
  await engine.open(second);
  assert.equal(daemon.containers.has(dead), false);
  assert.equal(daemon.containers.get(alive)?.Name, "eider_q_network_0_u2");
});

test("the next platform goes on with what was made ahead, and knows a pod's network that was", async (t) => {
  const before = await world(t, { isReachable: true });
  const { daemon } = before;
  await before.engine.open(second);
  await before.start(app, 0, second);
  await before.sparesMade(2);
  await before.engine.open(pod);
  await before.start(app, 0);
  await before.sparesMade(3);
  const [one = "", two = ""] = spares(daemon);
  before.over.abort();
  // Not running: of an attempt that was cut off.
  daemon.containers.set("cut-off", {
    Id: "cut-off",
    Name: "eider__spare_x",
    Config: { Labels: { "dev.eider.platform": "here" } },
    State: { Running: false, Paused: false, ExitCode: 0, Pid: 0 },
  });
  const { engine } = await world(t, { isReachable: true, daemon });
  assert.deepEqual(
    [...daemon.containers.values()].map(({ Id, Name }) => (Id === one || Id === two ? "spare" : Name)).toSorted(),
    ["eider_p_app_0_u1", "eider_p_network_0_u1", "spare", "spare"],
    "the pod u2 is no more, and neither is what was not finished",
  );
  await engine.open(second);
  assert.equal(daemon.containers.get(one)?.Name, "eider_q_network_0_u2");
});

const podNamed = (name: string, uid: string): Pod => ({ ...pod, metadata: { ...pod.metadata, name, uid } }) as Pod;
const leftBehind = (Name: string, uid = ""): StandInContainer => ({
  Id: `left-${Name}`,
  Name,
  Config: { Labels: { "dev.eider.platform": "here", "dev.eider.pod-uid": uid, "dev.eider.container": "" } },
  State: { Running: true, Paused: false, ExitCode: 0, Pid: 0 },
});

test("a network made ahead that a pod takes while what was left is swept is no other pod's", async (t) => {
  const daemon = await StandInDaemon.start(t);
  for (const each of [leftBehind("eider_x_network_0_gone", "gone"), leftBehind("eider__spare_x")]) daemon.containers.set(each.Id, each);
  const swept = Promise.withResolvers<void>();
  const sweeping = new Promise<void>((resolve) => {
    daemon.holds = (what) => {
      if (what !== "DELETE eider_x_network_0_gone") return undefined;
      resolve();
      return swept.promise;
    };
  });
  const { engine, start, sparesMade } = await world(t, { isReachable: true, daemon, isUnswept: true });
  const sweep = engine.sweep(new Set(["u1"]));
  await sweeping;
  await engine.open(pod);
  await start(app, 0);
  await sparesMade(1);
  await engine.open(second);
  assert.equal(daemon.containers.get("left-eider__spare_x")?.Name, "eider_q_network_0_u2");
  await engine.open(podNamed("r", "u3"));
  swept.resolve();
  await sweep;
  await engine.open(podNamed("s", "u4"));
  assert.equal(daemon.containers.get("left-eider__spare_x")?.Name, "eider_q_network_0_u2");
  assert.equal(new Set(["p", "q", "r", "s"].map((name) => daemon.named(`eider_${name}_network`).Id)).size, 4);
});

test("a daemon that comes late is swept before any pod has something there: what a new pod makes is no stray", async (t) => {
  const daemon = await StandInDaemon.start(t);
  let hides = true;
  const { engine } = await world(t, { daemon, hides: () => hides });
  hides = false;
  const answered = Promise.withResolvers<void>();
  const listing = new Promise<void>((resolve) => {
    daemon.holds = (what) => {
      if (what !== "list") return undefined;
      resolve();
      return answered.promise;
    };
  });
  const first = engine.open(second);
  await listing;
  const other = engine.open(podNamed("r", "u3"));
  // Whoever does not wait for the list has made something after as many words.
  const client = await createDaemonClient({ socketPath: daemon.path });
  for (let words = 0; words < 20; words++) await client.call({ method: "GET", path: "/version" });
  client.close();
  answered.resolve();
  await Promise.all([first, other]);
  assert.deepEqual([...daemon.containers.values()].map(({ Name }) => Name).toSorted(), ["eider_q_network_0_u2", "eider_r_network_0_u3"]);
});
