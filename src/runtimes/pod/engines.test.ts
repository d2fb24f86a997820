// Which engine a pod gets when its images are here, elsewhere, or nowhere; and what it waits for meanwhile.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "#core";
import { openImageStore } from "#images";
import type { ImageAnswer, RuntimeName } from "../engine.ts";
import { Engines } from "./engines.ts";
import { FakeEngine } from "./fake-engine.test-suite.ts";
import { IMAGE, podWith, putImage, stateOf, world } from "./runtime-world.test-suite.ts";

/** Where an image is: in the store or a registry, for programs of the host or not; `daemon` has what nobody else has. */
type Where = "here, host" | "here, whole" | "registry, host" | "registry, whole" | "daemon" | "nowhere";

test("engines: one that comes later is taken from then on, and without it nothing is awaited", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "eider-engines-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const late = Object.assign(new FakeEngine("container"), { isHere: (): boolean | Promise<boolean> => false });
  const own = new FakeEngine("process");
  const engines = new Engines([own, late], { images: await openImageStore(dir), logger: silentLogger });
  const fetch = () => Promise.reject(new Error("is not asked"));
  assert.equal(engines.choose(podWith({ containers: [{ name: "c", image: "dev.local/c" }] }), fetch), own);
  const asked = podWith({ containers: [{ name: "c", image: "dev.local/c" }], runtimeClassName: "container" });
  await assert.rejects(Promise.resolve(engines.choose(asked, fetch)), /does not have the runtime "container"/);
  late.isHere = () => Promise.resolve(true);
  assert.equal(await engines.choose(asked, fetch), late);
});

const ALL = ["process", "sandbox", "container"] as const;
const rows: readonly {
  readonly name: string;
  readonly inits?: readonly Where[];
  readonly images: readonly Where[];
  readonly engines?: readonly RuntimeName[];
  readonly asked?: string;
  readonly recorded?: RuntimeName;
  readonly want: RuntimeName | "waits";
  readonly fetched?: readonly string[];
}[] = [
  { name: "a folder of the host that is here", images: ["here, host"], want: "process" },
  { name: "an image that is here", images: ["here, whole"], want: "container" },
  { name: "a folder of the host in a registry", images: ["registry, host"], want: "process", fetched: ["container c0"] },
  { name: "an image in a registry", images: ["registry, whole"], want: "container", fetched: ["container c0"] },
  { name: "what only the daemon has", images: ["daemon"], want: "container", fetched: ["container c0"] },
  { name: "what is nowhere yet", images: ["nowhere"], want: "waits", fetched: ["container c0"] },
  { name: "all have to be folders of the host", images: ["here, host", "registry, whole"], want: "container", fetched: ["container c1"] },
  { name: "one that is not has decided: the others are the engine's", images: ["here, whole", "nowhere"], want: "container" },
  { name: "init containers count", inits: ["registry, host"], images: ["registry, host"], want: "process", fetched: ["container i0", "container c0"] },
  { name: "without a daemon a sandbox's way is taken", engines: ["process", "sandbox"], images: ["registry, host"], want: "process", fetched: ["sandbox c0"] },
  { name: "a sandbox runs what is not for the host", engines: ["process", "sandbox"], images: ["registry, whole"], want: "sandbox", fetched: ["sandbox c0"] },
  { name: "a machine with one runtime asks nothing", engines: ["process"], images: ["nowhere"], want: "process" },
  { name: "who names a runtime is asked nothing", asked: "sandbox", images: ["nowhere"], want: "sandbox" },
  { name: "what ran it before is asked nothing", recorded: "container", images: ["nowhere"], want: "container" },
];
for (const { name, inits = [], images, engines = ALL, asked, recorded, want, fetched = [] } of rows) {
  test(`engines: ${name}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "eider-engines-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const store = await openImageStore(dir);
    const put = (where: Where, image: string) => putImage(store, image, where.endsWith("host") ? "node26" : null);
    const containersOf = (list: readonly Where[], letter: string) =>
      list.map((where, n) => ({ where, name: `${letter}${n}`, image: `dev.local/${letter}${n}` }));
    const all = { inits: containersOf(inits, "i"), containers: containersOf(images, "c") };
    for (const { where, image } of [...all.inits, ...all.containers]) if (where.startsWith("here")) await put(where, image);
    const pod = podWith({ initContainers: all.inits, containers: all.containers, ...(asked === undefined ? {} : { runtimeClassName: asked }) });
    const given = recorded === undefined ? pod : { ...pod, metadata: { ...pod.metadata, annotations: { "eider.dev/runtime": recorded } } };
    const asks: string[] = [];
    const chosen = Promise.resolve(
      new Engines(
        engines.map((each) => new FakeEngine(each)),
        { images: store, logger: silentLogger },
      ).choose(given, async (engine, container) => {
        asks.push(`${engine.name} ${container.name}`);
        const where = [...all.inits, ...all.containers].find((each) => each.name === container.name)?.where ?? "nowhere";
        if (where === "nowhere") throw new Error("waits");
        return where === "daemon" ? `sha256:${"d".repeat(64)}` : put(where, container.image ?? "");
      }),
    );
    assert.deepEqual([await chosen.then((engine) => engine.name).catch((error: unknown) => (error as Error).message), asks], [want, fetched]);
  });
}

const waiting = (retryAtMs: number): ImageAnswer => ({ waiting: { reason: "ErrImagePull", message: "unauthorized" }, retryAtMs });
const OTHER = "registry.example/private:latest";

test("a pod whose image is not here waits for it as it would with an engine, and gets its engine then", async (t) => {
  const host = new FakeEngine("process");
  const daemon = new FakeEngine();
  const w = await world(t, undefined, [host, daemon]);
  const pulled = Promise.withResolvers<void>();
  daemon.onImage = async () => {
    if (daemon.asked.length === 1) return waiting(w.clock.monotonicMs() + 2_000);
    await pulled.promise;
    return { digest: await putImage(w.images, OTHER) };
  };
  w.pods.put(podWith({}, { image: OTHER }));
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "ErrImagePull");
  assert.equal(stateOf(w.pods)?.state?.waiting?.message, "unauthorized");
  await w.until(() => daemon.asked.length === 2, 100);
  assert.deepEqual([host.log, daemon.log], [[], []]);
  pulled.resolve();
  await w.until(() => host.starts.has("u1/user-container"));
  // It was fetched just now: nobody is asked for it again.
  assert.deepEqual([host.log, host.asked, daemon.asked.length], [["open p", "start user-container"], [], 2]);
  assert.equal(w.pods.get("p").metadata.annotations?.["eider.dev/runtime"], "process");
});

test("beside a container whose image does not come, one with its image is being created", async (t) => {
  const daemon = new FakeEngine();
  const w = await world(t, undefined, [new FakeEngine("process"), daemon]);
  daemon.onImage = () => Promise.resolve(waiting(w.clock.monotonicMs() + 2_000));
  w.pods.put(
    podWith({
      containers: [
        { name: "here", image: IMAGE },
        { name: "away", image: OTHER },
      ],
    }),
  );
  await w.until(() => w.pods.get("p").status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === "ErrImagePull") ?? false);
  const reasons = w.pods.get("p").status?.containerStatuses?.map(({ name, state }) => `${name}: ${state?.waiting?.reason}`);
  assert.deepEqual(reasons, ["here: ContainerCreating", "away: ErrImagePull"]);
});

test("a pod that goes while its first image comes ends the fetching", async (t) => {
  const daemon = new FakeEngine();
  const w = await world(t, undefined, [new FakeEngine("process"), daemon]);
  daemon.onImage = (_container, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  const pod = podWith({}, { image: OTHER });
  w.pods.put(pod);
  await w.until(() => daemon.asked.length === 1);
  w.drained.resolve();
  w.pods.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:01Z" } });
  await w.until(() => !w.pods.pods.has("p"), 100);
  assert.deepEqual(daemon.log, ["close p"]);
});
