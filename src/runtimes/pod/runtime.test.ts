// The runtime over a store of pods in memory and a keeper whose processes end when the test says so.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync } from "node:fs";
import { test } from "node:test";
import type { ProcessSpec } from "#protocol";
import { addressOf } from "../addresses.ts";
import { KeeperError } from "../keeper/keeper-client.ts";
import type { Runtime } from "./runtime.ts";
import { IMAGE, world, podWith, ID, readyOf, stateOf, readyPod, type Any } from "./runtime-world.test-suite.ts";

test("a pod comes up with two writes: its addresses beside the spawn, Ready when its port is open", async (t) => {
  const w = await readyPod(
    t,
    podWith(
      {},
      {
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "$(A)2" },
          { name: "PORT", value: "8080" },
        ],
      },
    ),
  );
  assert.deepEqual(
    w.pods.writes.map((write) => write.subresource),
    ["", "status"],
  );
  const spec = w.keeper.specs.get(ID);
  const port = Number(spec?.env["PORT"]);
  assert.deepEqual(addressOf(w.pods.get("p"), 8080), { host: "127.0.0.1", port });
  assert.deepEqual(Object.keys(spec?.env ?? {}).toSorted(), ["A", "B", "HOME", "HOSTNAME", "PATH", "PORT", "TMPDIR"]);
  assert.deepEqual([spec?.env["B"], spec?.argv], ["12", ["/opt/node/bin/node", "server.js"]]);
  const status = w.pods.get("p").status;
  assert.deepEqual([status?.phase, status?.podIP, stateOf(w.pods)?.restartCount, stateOf(w.pods)?.ready], ["Running", "127.0.0.1", 0, true]);
  assert.match(stateOf(w.pods)?.imageID ?? "", /^dev\.local\/app:v1@sha256:/);
});

test("a gateway that connected makes the pod ready before any probe", async (t) => {
  const w = await world(t);
  w.pods.put(podWith({}, { readinessProbe: { tcpSocket: { port: 0 }, initialDelaySeconds: 3_600 } }));
  await w.until(() => w.keeper.specs.has(ID));
  w.runtime.podReady("u1");
  await w.until(() => readyOf(w.pods) === "True");
});

test("crashes: exit code and last lines in the status, restart at once, then 10 s, 20 s, and a kubelet's words", async (t) => {
  const w = await world(t);
  w.keeper.onStart = (spec) => {
    appendFileSync(spec.outputFile, "starting\nboom\n");
    setImmediate(() => w.keeper.exit(ID, { code: 3 }));
  };
  w.pods.put(podWith());
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "CrashLoopBackOff");
  assert.deepEqual(w.keeper.log, [`start ${ID}`, `start ${ID}`]);
  const status = stateOf(w.pods);
  assert.equal(status?.state?.waiting?.message, "back-off 10s restarting failed container=user-container pod=p_default(u1)");
  assert.deepEqual(
    [status?.lastState?.terminated?.exitCode, status?.lastState?.terminated?.reason, status?.lastState?.terminated?.message],
    [3, "Error", "starting\nboom\n"],
  );
  assert.deepEqual([status?.restartCount, w.pods.get("p").status?.phase], [1, "Running"]);
  await w.clock.advance(9_000);
  assert.equal(w.keeper.log.length, 2);
  await w.until(() => w.keeper.log.length === 3, 100);
  await w.until(() => stateOf(w.pods)?.state?.waiting?.message?.startsWith("back-off 20s") === true);
  assert.equal(stateOf(w.pods)?.restartCount, 2);
});

const refusals: readonly { readonly name: string; readonly container: Any; readonly reason: string; readonly message: RegExp }[] = [
  {
    name: "an image that is not here",
    container: { image: "dev.local/none:v1" },
    reason: "ErrImagePull",
    message: /not in the local image store; build it with: eider build/,
  },
  {
    name: "an image that may not be pulled",
    container: { image: "registry.invalid/app:v1", imagePullPolicy: "Never" },
    reason: "ErrImageNeverPull",
    message: /^Container image "registry\.invalid\/app:v1" is not present with pull policy of Never$/,
  },
  {
    name: "an image without a name",
    container: { image: "No Image" },
    reason: "InvalidImageName",
    message: /couldn't parse image name "No Image": invalid reference format$/,
  },
  {
    name: "a registry that is not there",
    container: { image: "127.0.0.1:1/app:v1" },
    reason: "RegistryUnavailable",
    message:
      /^image pull failed for 127\.0\.0\.1:1\/app:v1 because the registry is unavailable: Get "https:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused/,
  },
  {
    name: "a missing ConfigMap",
    container: { envFrom: [{ configMapRef: { name: "c" } }] },
    reason: "CreateContainerConfigError",
    message: /^configmap "c" not found$/,
  },
  {
    name: "a missing key of a Secret",
    container: { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] },
    reason: "CreateContainerConfigError",
    message: /^couldn't find key k in Secret default\/s$/,
  },
  {
    name: "a mounted volume",
    container: { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    reason: "CreateContainerConfigError",
    message: /cannot mount volume "v"/,
  },
];
for (const { name, container, reason, message } of refusals) {
  test(`a container waits with its reason: ${name}`, async (t) => {
    const w = await world(t);
    w.pods.objects.set("Secret/s", { data: { other: "eA==" } });
    w.pods.put(podWith({}, container));
    await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === reason);
    assert.match(stateOf(w.pods)?.state?.waiting?.message ?? "", message);
    assert.deepEqual([readyOf(w.pods), w.pods.get("p").status?.phase, w.keeper.log], ["False", "Pending", []]);
  });
}

test("an image that appears later is started, and a missing object that appears is used", async (t) => {
  const w = await world(t);
  w.pods.put(podWith({}, { image: "dev.local/late:v1", envFrom: [{ prefix: "X_", configMapRef: { name: "c" } }] }));
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "ErrImagePull");
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "ImagePullBackOff", 500);
  await w.images.tag("dev.local/late:v1", (await w.images.resolve(IMAGE)) ?? "");
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "CreateContainerConfigError", 500);
  w.pods.objects.set("ConfigMap/c", { data: { A: "1" } });
  await w.until(() => w.keeper.specs.has(ID), 500);
  assert.equal(w.keeper.specs.get(ID)?.env["X_A"], "1");
});

test("a program that cannot be started ends with StartError and is tried again", async (t) => {
  const w = await world(t);
  w.keeper.refuse = "cannot start node: ENOENT";
  w.pods.put(podWith());
  await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "CrashLoopBackOff");
  assert.deepEqual(
    [stateOf(w.pods)?.lastState?.terminated?.reason, stateOf(w.pods)?.lastState?.terminated?.message],
    ["StartError", "cannot start node: ENOENT"],
  );
});

test("deletion: gateways let go, SIGTERM, SIGKILL after the grace, then the object goes", async (t) => {
  const w = await readyPod(t);
  w.pods.put({ ...w.pods.get("p"), metadata: { ...w.pods.get("p").metadata, deletionTimestamp: "2026-01-01T00:00:01Z", deletionGracePeriodSeconds: 30 } });
  await w.clock.advance(1_000);
  assert.deepEqual(w.keeper.log, [`start ${ID}`]);
  w.drained.resolve();
  await w.until(() => w.keeper.log.at(-1) === `SIGTERM ${ID}`);
  await w.clock.advance(28_000);
  assert.equal(w.keeper.log.at(-1), `SIGTERM ${ID}`);
  await w.until(() => !w.pods.pods.has("p"), 200);
  assert.equal(w.keeper.log.at(-1), `SIGKILL ${ID}`);
  assert.deepEqual([...w.keeper.specs], []);
});

test("deletion does not wait longer than the grace for gateways, and an obedient process is not killed", async (t) => {
  const w = await readyPod(t);
  w.pods.put({ ...w.pods.get("p"), metadata: { ...w.pods.get("p").metadata, deletionTimestamp: "2026-01-01T00:00:01Z", deletionGracePeriodSeconds: 10 } });
  await w.until(() => w.keeper.log.at(-1) === `SIGTERM ${ID}`, 200);
  w.keeper.exit(ID, { code: 0 });
  await w.until(() => !w.pods.pods.has("p"));
  assert.deepEqual(w.keeper.log, [`start ${ID}`, `SIGTERM ${ID}`]);
});

test("a pod that is deleted while its process is being started ends it at once, not after the grace", async (t) => {
  const w = await world(t);
  w.drained.resolve();
  const started = Promise.withResolvers<void>();
  w.keeper.starting = started.promise;
  w.pods.put(podWith());
  await w.until(() => w.keeper.specs.has(ID));
  w.pods.put({ ...w.pods.get("p"), metadata: { ...w.pods.get("p").metadata, deletionTimestamp: "2026-01-01T00:00:01Z", deletionGracePeriodSeconds: 300 } });
  await w.clock.advance(1_000);
  started.resolve();
  await w.until(() => w.keeper.log.at(-1) === `SIGTERM ${ID}`);
  w.keeper.exit(ID, { signal: "SIGTERM" });
  await w.until(() => !w.pods.pods.has("p"));
});

test("an object that vanishes takes its process along", async (t) => {
  const w = await readyPod(t);
  w.pods.remove("p");
  await w.until(() => w.keeper.specs.size === 0, 100);
  assert.deepEqual(w.keeper.log, [`start ${ID}`, `SIGTERM ${ID}`, `SIGKILL ${ID}`]);
});

test("a new platform adopts: no second process, the pod stays Ready, strays are ended", async (t) => {
  const first = await readyPod(t);
  first.keeper.specs.set("gone/app", { ...(first.keeper.specs.get(ID) as ProcessSpec), id: "gone/app" });
  const writes = first.pods.writes.length;
  const second = await first.restart();
  await second.until(() => !second.keeper.specs.has("gone/app"));
  await second.clock.advance(2_000);
  assert.deepEqual(second.keeper.log, [`start ${ID}`, "SIGKILL gone/app"]);
  assert.equal(readyOf(second.pods), "True");
  assert.equal(second.pods.writes.length, writes);
  second.keeper.exit(ID, { code: 1 });
  await second.until(() => second.keeper.log.filter((line) => line === `start ${ID}`).length === 2);
});

test("a process that ended while no platform ran is restarted, with its end in the status", async (t) => {
  const first = await readyPod(t);
  const restarted = first.restart();
  first.keeper.exit(ID, null);
  const second = await restarted;
  await second.until(() => second.keeper.log.length === 2);
  await second.keeper.listen(ID);
  await second.until(() => stateOf(second.pods)?.restartCount === 1 && readyOf(second.pods) === "True");
  assert.equal(stateOf(second.pods)?.lastState?.terminated?.reason, "ContainerStatusUnknown");
});

test("a failing liveness probe restarts the container", async (t) => {
  const w = await readyPod(
    t,
    podWith({ terminationGracePeriodSeconds: 1 }, { livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 5, failureThreshold: 2 } }),
  );
  await w.until(() => w.keeper.log.includes(`SIGTERM ${ID}`), 500);
  await w.until(() => w.keeper.log.filter((line) => line === `start ${ID}`).length === 2, 100);
  assert.equal(stateOf(w.pods)?.lastState?.terminated?.exitCode ?? 137, 137);
});

test("init containers run in order before the others; restartPolicy Never leaves a failed pod alone", async (t) => {
  const w = await world(t);
  w.pods.put(
    podWith({
      restartPolicy: "Never",
      initContainers: [
        { name: "a", image: IMAGE },
        { name: "b", image: IMAGE },
      ],
    }),
  );
  for (const name of ["a", "b"]) {
    await w.until(() => w.keeper.specs.has(`u1/${name}`));
    w.keeper.exit(`u1/${name}`, { code: 0 });
  }
  await w.until(() => w.keeper.specs.has(ID));
  assert.deepEqual(w.keeper.log, ["start u1/a", "start u1/b", `start ${ID}`]);
  w.keeper.exit(ID, { code: 5 });
  await w.until(() => w.pods.get("p").status?.phase === "Failed");
  assert.equal(stateOf(w.pods)?.state?.terminated?.exitCode, 5);
});

test("a pod that is over is deleted by the platform after the next, too", async (t) => {
  const first = await world(t);
  first.pods.put(podWith({ restartPolicy: "Never" }));
  await first.until(() => first.keeper.specs.has(ID));
  first.keeper.exit(ID, { code: 0 });
  await first.until(() => first.pods.get("p").status?.phase === "Succeeded");
  const second = await first.restart();
  second.drained.resolve();
  await second.clock.advance(100);
  assert.deepEqual(second.keeper.log, [`start ${ID}`]);
  const { metadata, ...rest } = second.pods.get("p");
  second.pods.put({ ...rest, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:01Z", deletionGracePeriodSeconds: 30 } });
  await second.until(() => !second.pods.pods.has("p"));
});

test("logs: all, tail, bytes, the start before, times", async (t) => {
  const w = await readyPod(t);
  const read = async (query: Partial<Parameters<Runtime["openLogs"]>[1]>): Promise<string> => {
    const chunks: Uint8Array[] = [];
    const asked = { container: "user-container", ...query };
    for await (const chunk of w.runtime.openLogs(w.pods.get("p"), asked, new AbortController().signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const { outputFile = "", timesFile = "" } = w.keeper.specs.get(ID) ?? {};
  appendFileSync(outputFile, "one\ntwo\nthree\n");
  appendFileSync(timesFile, `4 ${Date.UTC(2026, 0, 1)}\n14 ${Date.UTC(2026, 0, 2)}\n`);
  assert.equal(await read({}), "one\ntwo\nthree\n");
  assert.equal(await read({ tailLines: 2 }), "two\nthree\n");
  assert.equal(await read({ tailLines: 0 }), "");
  assert.equal(await read({ tailLines: 99 }), "one\ntwo\nthree\n");
  assert.equal(await read({ limitBytes: 5 }), "one\nt");
  assert.equal(await read({ tailLines: 2, timestamps: true }), "2026-01-02T00:00:00.000000000Z two\n2026-01-02T00:00:00.000000000Z three\n");
  assert.equal(await read({ sinceMs: Date.UTC(2026, 0, 2) }), "two\nthree\n");
  assert.equal(await read({ timestamps: true, limitBytes: 33 }), "2026-01-01T00:00:00.000000000Z on");
  await assert.rejects(read({ previous: true }), { reason: "BadRequest", message: 'previous terminated container "user-container" in pod "p" not found' });
  w.keeper.exit(ID, { code: 1 });
  await w.until(() => w.keeper.log.length === 2);
  mkdirSync(w.dir, { recursive: true });
  appendFileSync(w.keeper.specs.get(ID)?.outputFile ?? "", "again\n");
  assert.deepEqual([await read({}), await read({ previous: true })], ["again\n", "one\ntwo\nthree\n"]);
});

const nothingYet = [
  { state: undefined, message: 'container "user-container" in pod "p" is not available' },
  { state: { waiting: { reason: "ContainerCreating" } }, message: 'container "user-container" in pod "p" is waiting to start: ContainerCreating' },
  { state: { waiting: { reason: "ErrImagePull" } }, message: 'container "user-container" in pod "p" is waiting to start: image can\'t be pulled' },
  {
    state: { waiting: { reason: "ImagePullBackOff" } },
    message: 'container "user-container" in pod "p" is waiting to start: trying and failing to pull image',
  },
  { state: { terminated: { exitCode: 1 } }, message: 'container "user-container" in pod "p" is terminated' },
  { state: {}, message: 'container "user-container" in pod "p" is waiting to start - no logs yet' },
];
for (const { state, message } of nothingYet) {
  test(`logs of a container that has not run: ${message}`, async (t) => {
    const w = await world(t);
    const given = podWith();
    const containerStatuses = state === undefined ? [] : [{ name: "user-container", state }];
    const pod = { ...given, metadata: { ...given.metadata, uid: "other" }, status: { ...given.status, containerStatuses } } as unknown as typeof given;
    const first = w.runtime.openLogs(pod, { container: "user-container" }, new AbortController().signal)[Symbol.asyncIterator]().next();
    await assert.rejects(first, { reason: "BadRequest", message });
  });
}

test("a probe's command that cannot be started is a failed probe, and probing goes on", async (t) => {
  const w = await readyPod(
    t,
    podWith({}, { livenessProbe: { exec: { command: ["/no/such"] }, periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 1 } }),
  );
  w.keeper.refuse = "cannot start /no/such: spawn ENOENT";
  await w.until(() => w.keeper.log.includes(`SIGTERM ${ID}`), 100);
});

test("a container whose start the keeper did not live to answer is no failed container: the next platform starts it", async (t) => {
  const w = await world(t);
  w.keeper.starting = Promise.reject(new KeeperError("Gone", "the keeper is gone"));
  w.keeper.starting.catch(() => {});
  w.pods.put(podWith());
  await w.until(() => w.keeper.specs.has(ID));
  await w.clock.advance(3_000);
  assert.deepEqual([stateOf(w.pods)?.lastState ?? {}, stateOf(w.pods)?.restartCount ?? 0, w.keeper.log], [{}, 0, [`start ${ID}`]]);
});

test("a probe's command that cannot be configured is a failed probe, too", async (t) => {
  const from = { configMapRef: { name: "settings" } };
  const w = await world(t);
  w.pods.objects.set("ConfigMap/settings", { data: { A: "1" } });
  w.pods.put(
    podWith({}, { envFrom: [from], livenessProbe: { exec: { command: ["/bin/true"] }, periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 1 } }),
  );
  await w.until(() => w.keeper.specs.has(ID));
  w.pods.objects.delete("ConfigMap/settings");
  await w.until(() => w.keeper.log.includes(`SIGTERM ${ID}`), 100);
});

test("what a pod uses is told while it runs, container by container", { skip: process.platform !== "linux" && "there is no /proc" }, async (t) => {
  const w = await world(t);
  w.keeper.pid = process.pid;
  assert.equal(await w.runtime.usageOf(podWith()), undefined);
  w.pods.put(podWith());
  await w.until(() => stateOf(w.pods)?.state?.running !== undefined);
  const [used, ...others] = (await w.runtime.usageOf(podWith())) ?? [];
  assert.deepEqual([used?.name, used?.atMs, others], ["user-container", w.clock.monotonicMs(), []]);
  assert.ok(used !== undefined && used.cpuNanos > 0 && used.memoryBytes > 1 << 20);
  w.keeper.pid = undefined;
  w.keeper.exit(ID, { code: 1 });
  await w.until(() => stateOf(w.pods)?.state?.running === undefined || stateOf(w.pods)?.restartCount === 1);
  assert.deepEqual(await w.runtime.usageOf(podWith()), []);
});
