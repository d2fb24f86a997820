// What the runtime `process` does with programs that crash, hang, ignore what they are told or have to go, as kubectl shows it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { engineBeside, holdsStill, leadersOf, treeOf, type Held } from "./held-still.ts";
import { isAlive } from "./kill-world.ts";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const IMAGE = "dev.local/moods";
const skip = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: { readonly waiting?: { readonly reason: string; readonly message?: string }; readonly running?: object };
  readonly lastState: { readonly terminated?: { readonly exitCode: number; readonly reason: string; readonly message?: string } };
}

interface PodShown {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly containerStatuses?: readonly ContainerStatus[]; readonly conditions?: readonly Condition[] };
}

interface Mood {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly container?: object;
}

function service({ name, annotations = {}, spec = {}, container = {} }: Mood): object {
  const containers = [{ image: IMAGE, env: [{ name: "MOOD", value: name }], ...container }];
  const template = { metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1", ...annotations } }, spec: { ...spec, containers } };
  return { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: "default" }, spec: { template } };
}

const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse(await platform.kubectl(...args, "-o", "json"));
const pods = async (name: string): Promise<readonly PodShown[]> =>
  ((await json("get", "pods", "-l", `serving.knative.dev/service=${name}`)) as { items: readonly PodShown[] }).items;
const conditionOf = async (resource: string, type: string): Promise<Condition | undefined> =>
  ((await json("get", ...resource.split(" "))) as { status?: { conditions?: readonly Condition[] } }).status?.conditions?.find((each) => each.type === type);
const isReady = async (name: string): Promise<boolean> => (await conditionOf(`ksvc ${name}`, "Ready"))?.status === "True";
const host = (name: string): string => `${name}.default.localhost`;
const logFolder = (uid: string): string => join(platform.data, "logs", uid, "user-container");

const HEALTHY = ["calm", "unwell", "stubborn", "talk"];

before(async () => {
  if (skip.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/moods"), "--image", IMAGE);
  assert.equal(built.code, 0, built.stderr);
  const livenessProbe = { httpGet: { path: "/healthz" }, periodSeconds: 1, failureThreshold: 2 };
  const services = [
    service({ name: "calm" }),
    service({ name: "crash" }),
    service({ name: "deaf" }),
    service({ name: "unwell", container: { livenessProbe } }),
    service({ name: "stubborn", spec: { timeoutSeconds: 3, responseStartTimeoutSeconds: 3 } }),
    service({ name: "talk" }),
    service({ name: "absent", container: { image: "registry.example/absent" } }),
  ];
  await Promise.all(services.map((each) => platform.apply(each)));
});
after(async () => {
  await platform?.stop();
});

test("programs that behave become ready", skip, async () => {
  for (const name of HEALTHY) await eventually(`${name} is ready`, () => isReady(name));
});

test("freeze and thaw: its processes stand still, and what is asked meanwhile is answered afterwards; planted faults are found", skip, async (t) => {
  const over = new AbortController();
  t.after(() => over.abort());
  const engine = await engineBeside(platform, "process", over.signal);
  const [pod] = (await pods("calm")) as unknown as readonly Held["pod"][];
  assert.ok(pod);
  const pids = (await leadersOf(engine, pod)).flatMap(treeOf);
  const held = { engine, pod, pids, ask: () => platform.request(host("calm"), "/pid"), meanwhile: () => platform.kubectl("get", "--raw", "/readyz") };
  await holdsStill(held);
  const nothing = (): Promise<void> => Promise.resolve();
  const freeze = (): Promise<void> => engine.freeze(pod);
  await assert.rejects(holdsStill({ ...held, engine: { ...held.engine, freeze: nothing, thaw: nothing }, limitMs: 100 }), /never came true: all stand still/);
  await assert.rejects(holdsStill({ ...held, engine: { freeze, thaw: nothing }, limitMs: 100 }), /never came true: all go on/);
  await engine.thaw(pod);
});

test("a crash: the Revision shows exit code and last words, the pod backs off", skip, async () => {
  const condition = await eventually("the Revision tells the crash", async () => {
    const found = await conditionOf("revision crash-00001", "ContainerHealthy");
    return found?.status === "False" && found;
  });
  assert.equal(condition.reason, "ExitCode7");
  assert.match(condition.message ?? "", /^Container failed with: [^]*the last words/);
  const status = await eventually("the pod backs off", async () => {
    const [found] = (await pods("crash")).flatMap((pod) => pod.status.containerStatuses ?? []);
    return found?.state.waiting?.reason === "CrashLoopBackOff" && found;
  });
  assert.deepEqual([status.lastState.terminated?.exitCode, status.lastState.terminated?.reason, status.ready], [7, "Error", false]);
  assert.match(status.state.waiting?.message ?? "", /^back-off [1-4]0s restarting failed container=user-container pod=crash-00001-deployment-/);
  assert.ok(status.restartCount >= 1);
  assert.equal(await isReady("crash"), false);
});

test("a program that ignores PORT: pod and Revision say which port it has to use", skip, async () => {
  const [pod] = await eventually("the pod says so", async () => {
    const found = await pods("deaf");
    return found[0]?.status.containerStatuses?.[0]?.state.waiting?.reason === "PortIgnored" && found;
  });
  const message = pod?.status.conditions?.find(({ type }) => type === "Ready")?.message ?? "";
  assert.match(message, /the program listens on port \d+ and not on \$PORT, which is \d+/);
  const condition = await eventually("the Revision says so", async () => {
    const found = await conditionOf("revision deaf-00001", "Ready");
    return found?.status === "False" && found;
  });
  assert.equal(condition.reason, "PortIgnored");
  assert.match(condition.message ?? "", /\$PORT/);
});

test("an unknown image: Knative's condition", skip, async () => {
  const condition = await eventually("the Revision tells it", async () => {
    const found = await conditionOf("revision absent-00001", "ContainerHealthy");
    return found?.status === "False" && found;
  });
  assert.equal(condition.reason, "ContainerMissing");
  assert.match(condition.message ?? "", /^Unable to fetch image "registry\.example\/absent": /);
  assert.match((await conditionOf("ksvc absent", "ConfigurationsReady"))?.message ?? "", /Revision "absent-00001" failed with message: Unable to fetch image/);
});

test("a failing liveness probe restarts the program", skip, async () => {
  const { body: before } = await platform.request(host("unwell"), "/pid");
  await platform.request(host("unwell"), "/sicken");
  const now = await eventually("another process answers", async () => {
    const { status, body } = await platform.request(host("unwell"), "/pid");
    return status === 200 && body !== before && body;
  });
  assert.notEqual(now, before);
  const [pod] = await pods("unwell");
  assert.equal(pod?.status.containerStatuses?.[0]?.restartCount, 1);
});

test("a deleted pod is replaced; the request that it serves is answered first, its output stays", skip, async () => {
  const [pod] = await pods("calm");
  assert.ok(pod);
  const slow = platform.request(host("calm"), "/?sleep=2000");
  await new Promise((resume) => setTimeout(resume, 200));
  await platform.kubectl("delete", "pod", pod.metadata.name, "--wait=false");
  const answer = await slow;
  assert.deepEqual([answer.status, answer.body], [200, "done\n"]);
  await eventually("another pod is ready", async () => {
    const [found, ...more] = await pods("calm");
    return more.length === 0 && found !== undefined && found.metadata.uid !== pod.metadata.uid && found.status.containerStatuses?.[0]?.ready;
  });
  assert.match(readFileSync(join(logFolder(pod.metadata.uid), "0.log"), "utf8"), /mood calm\ntold to end/);
});

test("a program that ignores SIGTERM is killed after the grace", skip, async () => {
  const [pod] = await pods("stubborn");
  assert.ok(pod);
  const pid = Number((await platform.request(host("stubborn"), "/pid")).body);
  const from = performance.now();
  await platform.kubectl("delete", "pod", pod.metadata.name, "--wait=false");
  await eventually("it is told", async () => readFileSync(join(logFolder(pod.metadata.uid), "0.log"), "utf8").includes("told to end"));
  assert.ok(isAlive(pid), "told and still alive");
  await eventually("it is gone", async () => !isAlive(pid));
  assert.ok(performance.now() - from >= 2_000, "not before the grace of three seconds, of which the drain takes its part");
});

test("output has a limit, and the newest can be read", skip, async () => {
  const [pod] = await pods("talk");
  assert.ok(pod);
  await eventually("the program still writes", async () => (await platform.kubectl("logs", pod.metadata.name, "--tail=1")) === "still here\n");
  const folder = logFolder(pod.metadata.uid);
  const output = readdirSync(folder).filter((file) => !file.endsWith(".times"));
  const sizes = output.map((file) => statSync(join(folder, file)).size);
  assert.ok(sizes.length === 2 && sizes.reduce((sum, size) => sum + size, 0) < 26 << 20, `sizes ${sizes.join(", ")}`);
});

test("`kubectl scale` of a Deployment alone makes pods come and go", skip, async () => {
  const labels = { app: "plain" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: IMAGE, ports: [{ containerPort: 8080 }] }] } };
  const metadata = { name: "plain", namespace: "default" };
  await platform.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas: 2, selector: { matchLabels: labels }, template } });
  const running = async (count: number): Promise<boolean> =>
    (await platform.kubectl("get", "deployment", "plain", "-o", "jsonpath={.status.readyReplicas}/{.status.replicas}")) === `${count}/${count}`;
  await eventually("two run", () => running(2));
  await platform.kubectl("scale", "deployment", "plain", "--replicas=3");
  await eventually("three run", () => running(3));
  await platform.kubectl("scale", "deployment", "plain", "--replicas=1");
  await eventually("one runs", () => running(1));
  const left = (await json("get", "pods", "-l", "app=plain")) as { items: readonly PodShown[] };
  assert.equal(left.items.filter((pod) => pod.metadata.deletionTimestamp === undefined).length, 1);
});

test("a deleted Service: the request under way is answered, then everything is gone", skip, async () => {
  const slow = platform.request(host("calm"), "/?sleep=2000");
  await new Promise((resume) => setTimeout(resume, 200));
  await platform.kubectl("delete", "ksvc", "calm", "--wait=false");
  const answer = await slow;
  assert.deepEqual([answer.status, answer.body], [200, "done\n"]);
  await eventually("no pod is left", async () => (await pods("calm")).length === 0);
  assert.equal((await platform.request(host("calm"))).status, 404);
});
