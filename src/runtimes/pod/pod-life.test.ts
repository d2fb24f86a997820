// The life of a pod's containers on an engine without containers: hooks, sidecars, its time, and what Events tell of it.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { CommandResult } from "../engine.ts";
import { ContainerConfigError, ContainerCreateError } from "../engine.ts";
import { FakeEngine } from "./fake-engine.test-suite.ts";
import { podWith, readyOf, world, type Any, type World } from "./runtime-world.test-suite.ts";

interface Life extends World {
  readonly engine: FakeEngine;
}

/** A pod without ports is ready as soon as it runs. */
async function life(t: TestContext, spec: Any, container: Any = {}): Promise<Life> {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  w.pods.put(podWith(spec, { name: "app", ports: [], ...container }));
  return { ...w, engine };
}

const exec = (command: string) => ({ exec: { command: [command] } });
const statusOf = ({ pods }: World, name: string) => {
  const { initContainerStatuses = [], containerStatuses = [] } = pods.get("p").status ?? {};
  return [...initContainerStatuses, ...containerStatuses].find((each) => each.name === name);
};
const phaseOf = ({ pods }: World): string | undefined => pods.get("p").status?.phase;
const told = ({ events }: World, reason: string): readonly string[] => events.filter((event) => event.reason === reason).map(({ message }) => message);

function remove({ pods, drained }: World, seconds = 30): void {
  drained.resolve();
  const pod = pods.get("p");
  pods.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:01Z", deletionGracePeriodSeconds: seconds } });
}

test("a container is neither running nor ready before its hook is done", async (t) => {
  const w = await life(t, {}, { lifecycle: { postStart: exec("greet") } });
  const done = Promise.withResolvers<CommandResult>();
  w.engine.commands.set("greet", done.promise);
  await w.until(() => w.engine.log.includes("run app: greet"));
  await w.clock.advance(2_000);
  const status = statusOf(w, "app");
  assert.deepEqual([status?.state?.waiting?.reason, status?.started, readyOf(w.pods)], ["ContainerCreating", false, "False"]);
  done.resolve({ exitCode: 0, output: "" });
  await w.until(() => readyOf(w.pods) === "True");
  assert.ok(statusOf(w, "app")?.state?.running !== undefined);
});

test("a hook after the start that fails ends the container, which says why and starts again; the event keeps its words to itself", async (t) => {
  const w = await life(t, {}, { lifecycle: { postStart: exec("greet") } });
  w.engine.results.set("greet", { exitCode: 3, output: "secret" });
  await w.until(() => w.engine.log.includes("SIGTERM app"));
  w.engine.results.clear();
  w.engine.exit("app", { exitCode: 143 });
  await w.until(() => readyOf(w.pods) === "True", 100);
  assert.deepEqual([told(w, "FailedPostStartHook"), told(w, "Killing")], [["PostStartHook failed"], ["FailedPostStartHook"]]);
  assert.ok(!JSON.stringify(w.events).includes("secret"));
  const waiting = w.pods.writes.flatMap(
    ({ body }) => (body as { status?: { containerStatuses?: { state?: { waiting?: Any } }[] } }).status?.containerStatuses ?? [],
  );
  const why = waiting.map(({ state }) => state?.waiting).find((each) => each?.["reason"] === "PostStartHookError");
  assert.equal(
    why?.["message"],
    `Exec lifecycle hook ([greet]) for Container "app" in Pod "p_default(u1)" failed - error: command 'greet' exited with 3: , message: "secret"`,
  );
  assert.equal(statusOf(w, "app")?.restartCount, 1);
});

test("the hook before the end comes before SIGTERM and counts into the grace; when it fails the end comes all the same", async (t) => {
  const w = await life(t, {}, { lifecycle: { preStop: { sleep: { seconds: 5 } } } });
  await w.until(() => readyOf(w.pods) === "True");
  remove(w, 10);
  await w.clock.advance(4_000);
  assert.ok(!w.engine.log.includes("SIGTERM app"));
  await w.until(() => w.engine.log.includes("SIGTERM app"), 100);
  await w.clock.advance(4_000);
  assert.ok(!w.engine.log.includes("SIGKILL app"));
  await w.until(() => w.engine.log.includes("SIGKILL app"), 100);
  assert.ok(w.clock.monotonicMs() < 12_000);
  await w.until(() => !w.pods.pods.has("p"));
  assert.deepEqual(told(w, "Killing"), ["Stopping container app"]);
});

test("a hook before the end that hangs has the grace, then the container two seconds", async (t) => {
  const w = await life(t, {}, { lifecycle: { preStop: exec("hang") } });
  w.engine.commands.set("hang", new Promise(() => {}));
  await w.until(() => readyOf(w.pods) === "True");
  remove(w, 10);
  await w.clock.advance(9_000);
  assert.ok(!w.engine.log.includes("SIGTERM app"));
  await w.until(() => w.engine.log.includes("SIGTERM app"), 100);
  assert.ok(!w.engine.log.includes("SIGKILL app"));
  await w.until(() => w.engine.log.includes("SIGKILL app"), 100);
});

test("a hook before the end that fails is told, and one that cannot be reached, too", async (t) => {
  const w = await life(t, {}, { lifecycle: { preStop: { httpGet: { port: 1, path: "/bye" } } } });
  await w.until(() => readyOf(w.pods) === "True");
  remove(w);
  await w.until(() => w.engine.log.includes("SIGTERM app"));
  assert.deepEqual(told(w, "FailedPreStopHook"), ["PreStopHook failed"]);
});

test("who deletes a pod once more with less grace gets it", async (t) => {
  const w = await life(t, {});
  await w.until(() => readyOf(w.pods) === "True");
  remove(w, 300);
  await w.until(() => w.engine.log.includes("SIGTERM app"));
  remove(w, 3);
  await w.until(() => w.engine.log.includes("SIGKILL app"), 100);
  assert.ok(w.clock.monotonicMs() < 10_000);
});

const PROXY = { name: "proxy", image: "dev.local/app:v1", restartPolicy: "Always" };
const SECOND = { ...PROXY, name: "second" };

test("sidecars start in turn, are started again, and end last in reverse order", async (t) => {
  const w = await life(t, { initContainers: [{ ...PROXY, startupProbe: { exec: { command: ["up"] }, periodSeconds: 1, failureThreshold: 100 } }, SECOND] });
  w.engine.results.set("up", { exitCode: 1, output: "not yet" });
  await w.until(() => told(w, "Unhealthy").length > 2, 100);
  assert.deepEqual(
    w.engine.log.filter((line) => line.startsWith("start")),
    ["start proxy"],
  );
  assert.equal(told(w, "Unhealthy")[0], "Startup probe failed: not yet");
  w.engine.results.clear();
  await w.until(() => readyOf(w.pods) === "True", 100);
  assert.deepEqual(
    w.engine.log.filter((line) => line.startsWith("start")),
    ["start proxy", "start second", "start app"],
  );
  assert.deepEqual([statusOf(w, "proxy")?.started, statusOf(w, "proxy")?.ready, phaseOf(w)], [true, true, "Running"]);
  w.engine.exit("second", { exitCode: 0 });
  await w.until(() => w.engine.log.filter((line) => line === "start second").length === 2, 100);
  await w.until(() => readyOf(w.pods) === "True", 100);
  remove(w);
  await w.until(() => w.engine.log.includes("SIGTERM app"));
  await w.clock.advance(5_000);
  for (const [ended, next] of [
    ["app", "second"],
    ["second", "proxy"],
  ] as const) {
    assert.ok(!w.engine.log.includes(`SIGTERM ${next}`));
    w.engine.exit(ended);
    await w.until(() => w.engine.log.includes(`SIGTERM ${next}`));
  }
  w.engine.exit("proxy");
  await w.until(() => !w.pods.pods.has("p"));
});

test("a sidecar counts for the pod's readiness", async (t) => {
  const w = await life(t, { initContainers: [{ ...PROXY, readinessProbe: { exec: { command: ["ok"] }, periodSeconds: 1 } }] });
  w.engine.results.set("ok", { exitCode: 1, output: "no" });
  await w.until(() => statusOf(w, "app")?.ready === true, 100);
  const ready = w.pods.get("p").status?.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.status, ready?.message], ["False", "containers with unready status: [proxy]"]);
  w.engine.results.clear();
  await w.until(() => readyOf(w.pods) === "True", 100);
});

test("a sidecar does not hold a pod that is done, also after a restart of the platform, and how it ends does not matter", async (t) => {
  const w = await life(t, { restartPolicy: "Never", initContainers: [PROXY] });
  await w.until(() => readyOf(w.pods) === "True");
  w.engine.exit("app", { exitCode: 0 });
  await w.until(() => w.engine.log.includes("SIGTERM proxy"));
  await w.until(() => statusOf(w, "app")?.state?.terminated !== undefined);
  assert.equal(phaseOf(w), "Running");
  const next = await w.restart();
  w.engine.exit("proxy", { exitCode: 143 });
  await next.until(() => phaseOf(next) === "Succeeded", 100);
  const conditions = next.pods.get("p").status?.conditions ?? [];
  assert.deepEqual(
    conditions.filter(({ type }) => type !== "PodScheduled" && type !== "PodReadyToStartContainers").map(({ status, reason }) => [status, reason]),
    [
      ["True", "PodCompleted"],
      ["False", "PodCompleted"],
      ["False", "PodCompleted"],
    ],
  );
  assert.equal(w.engine.log.filter((line) => line === "start app").length, 1);
});

test("a container that has ended for good beside one that runs is not started by the next platform", async (t) => {
  const w = await life(t, {
    restartPolicy: "OnFailure",
    containers: [
      { name: "app", image: "i" },
      { name: "other", image: "i" },
    ],
  });
  await w.until(() => readyOf(w.pods) === "True");
  w.engine.exit("other", { exitCode: 0 });
  await w.until(() => statusOf(w, "other")?.state?.terminated?.exitCode === 0);
  const next = await w.restart();
  await next.clock.advance(20_000);
  assert.equal(w.engine.log.filter((line) => line === "start other").length, 1);
  assert.equal(statusOf(next, "other")?.state?.terminated?.exitCode, 0);
});

test("a pod whose time is over ends, is Failed once nothing runs, and stays; the time counts on over a restart", async (t) => {
  const w = await life(t, { activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 5 });
  await w.until(() => readyOf(w.pods) === "True");
  await w.clock.advance(50_000);
  const next = await w.restart();
  await next.clock.advance(5_000);
  assert.ok(!w.engine.log.includes("SIGTERM app"));
  await next.until(() => w.engine.log.includes("SIGTERM app"), 100);
  assert.equal(phaseOf(next), "Running");
  await next.until(() => phaseOf(next) === "Failed", 100);
  const { reason, message } = next.pods.get("p").status ?? {};
  assert.deepEqual([reason, message], ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"]);
  assert.ok(w.engine.log.includes("SIGKILL app"));
  await next.clock.advance(60_000);
  assert.equal(w.engine.log.filter((line) => line === "start app").length, 1);
  assert.deepEqual(told(next, "DeadlineExceeded"), [message]);
});

const refusals = [
  { error: new ContainerConfigError("no such key"), reason: "CreateContainerConfigError", restarts: 0 },
  { error: new ContainerCreateError("no space left on device"), reason: "CreateContainerError", restarts: 0 },
  { error: new Error('exec: "nope": executable file not found in $PATH'), reason: "RunContainerError", restarts: 1 },
];
for (const { error, reason, restarts } of refusals) {
  test(`what keeps a container from running is told: ${reason}`, async (t) => {
    const w = await life(t, {});
    w.engine.refuse = error;
    await w.until(() => statusOf(w, "app")?.state?.waiting?.reason === reason);
    assert.equal(statusOf(w, "app")?.state?.waiting?.message, error.message);
    assert.deepEqual(told(w, "Failed"), [`Error: ${error.message}`]);
    w.engine.refuse = undefined;
    await w.until(() => readyOf(w.pods) === "True", 500);
    assert.equal(statusOf(w, "app")?.restartCount, restarts);
  });
}

test("events tell a pod's life in the kubelet's words, and which container they are about", async (t) => {
  const w = await life(t, { terminationGracePeriodSeconds: 1 }, { livenessProbe: { exec: { command: ["alive"] }, periodSeconds: 1, failureThreshold: 1 } });
  await w.until(() => readyOf(w.pods) === "True");
  w.engine.results.set("alive", { exitCode: 1, output: "dead" });
  await w.until(() => w.engine.log.includes("SIGTERM app"), 100);
  w.engine.results.clear();
  w.engine.exit("app", { exitCode: 1 });
  await w.until(() => w.engine.log.filter((line) => line === "start app").length === 2, 100);
  w.engine.exit("app", { exitCode: 1 });
  await w.until(() => told(w, "BackOff").length > 0, 100);
  assert.deepEqual(
    w.events.map(({ reason, message, component = "kubelet", fieldPath = "" }) => [component, reason, message, fieldPath]),
    [
      ["default-scheduler", "Scheduled", "Successfully assigned default/p to here", ""],
      ["kubelet", "Created", "Created container: app", "spec.containers{app}"],
      ["kubelet", "Started", "Started container app", "spec.containers{app}"],
      ["kubelet", "Unhealthy", "Liveness probe failed: dead", "spec.containers{app}"],
      ["kubelet", "Killing", "Container app failed liveness probe, will be restarted", "spec.containers{app}"],
      ["kubelet", "Created", "Created container: app", "spec.containers{app}"],
      ["kubelet", "Started", "Started container app", "spec.containers{app}"],
      ["kubelet", "BackOff", "Back-off restarting failed container app in pod p_default(u1)", "spec.containers{app}"],
    ],
  );
});
