// Pods in containers of a Docker-compatible daemon: started, looked into, adopted after a crash, restarted, removed without a trace.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askDaemon, buildStory, containersOf, endProgram, needsDaemon, podContainersOf } from "./container-world.ts";
import { engineBeside, holdsStill, leadersOf, treeOf, type Held } from "./held-still.ts";
import { eventually, Platform } from "./platform.ts";

const NAME = "in-container";
const HOST = `${NAME}.default.localhost`;
let platform: Platform;
let platformId: string;

before(async () => {
  if (needsDaemon !== false) return;
  await buildStory();
  platform = await Platform.start();
  platformId = readFileSync(join(platform.data, "container-platform"), "utf8").trim();
});
after(async () => {
  await platform?.stop();
});

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string };
    readonly status: { readonly podIP?: string; readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number }[] };
  }[];
}

async function onlyPod(): Promise<Pods["items"][number]> {
  const { items } = JSON.parse(await platform.kubectl("get", "pods", "-o", "json")) as Pods;
  assert.equal(items.length, 1);
  return items[0] as Pods["items"][number];
}

function dockerIdOf(pod: Pods["items"][number]): string {
  return (pod.status.containerStatuses?.[0]?.containerID ?? "").replace(/^\w+:\/\//, "");
}

test("an image that only the daemon holds runs, with limits, labels and an address of its own", { skip: needsDaemon }, async () => {
  const container = {
    image: "localhost/eider-story:test",
    resources: { limits: { memory: "64Mi", cpu: "500m" } },
    securityContext: { runAsUser: 1234, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  await platform.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: NAME },
    spec: { template: { metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } }, spec: { containers: [container] } } },
  });
  await platform.kubectl("wait", "ksvc", NAME, "--for=condition=Ready", "--timeout=60s");
  assert.deepEqual([(await platform.request(HOST)).status, (await platform.request(HOST)).body], [200, "Hello World!\n"]);
  const pod = await onlyPod();
  interface Inspected {
    readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
    readonly HostConfig: { readonly Memory: number; readonly ReadonlyRootfs: boolean; readonly SecurityOpt: readonly string[] };
  }
  const { Config, HostConfig } = await askDaemon<Inspected>(`/containers/${dockerIdOf(pod)}/json`);
  assert.deepEqual([Config.User, HostConfig.Memory, HostConfig.ReadonlyRootfs], ["1234", 64 << 20, true]);
  assert.deepEqual([Config.Labels["dev.eider.pod"], Config.Labels["dev.eider.pod-uid"]], [pod.metadata.name, pod.metadata.uid]);
  assert.equal((await podContainersOf(platformId)).length, 2, "one that runs the program, one that holds the network");
});

test("from inside of a pod: the API by its name, and the gateways at the machine's address", { skip: needsDaemon }, async () => {
  const ask = async (url: string, host = "") => {
    const { status, body } = await platform.request(HOST, `/ask?url=${encodeURIComponent(url)}&host=${host}`);
    return { status, body };
  };
  const api = await ask(`https://kubernetes.default.svc:${new URL(platform.state.api).port}/api/v1/namespaces`);
  assert.deepEqual([api.status, (JSON.parse(api.body) as { kind: string }).kind], [401, "Status"]);
  const hostIP = await platform.kubectl("get", "pods", "-o", "jsonpath={.items[0].status.hostIP}");
  assert.deepEqual(await ask(`http://${hostIP}:${new URL(platform.state.http).port}/`, HOST), { status: 200, body: "Hello World!\n" });
  assert.deepEqual(await ask(`http://${hostIP}:${new URL(platform.state.internal).port}/`, `${NAME}.default.svc.cluster.local`), {
    status: 200,
    body: "Hello World!\n",
  });
});

test("a platform that is killed finds its containers again", { skip: needsDaemon }, async () => {
  const before = await onlyPod();
  process.kill(platform.state.pid, "SIGKILL");
  await eventually("the next platform answers", async () => {
    const state = JSON.parse(readFileSync(join(platform.data, "run/state.json"), "utf8")) as Platform["state"];
    return state.pid !== platform.state.pid && (platform.state = state);
  });
  await eventually("the API answers", () => platform.kubectl("get", "--raw", "/readyz").catch(() => false));
  const later = await onlyPod();
  assert.deepEqual([later.metadata.uid, dockerIdOf(later)], [before.metadata.uid, dockerIdOf(before)]);
  assert.equal((await platform.request(HOST)).status, 200);
});

test("a container that ends by itself starts again in the pod's network, and its output is kept", { skip: needsDaemon }, async () => {
  const before = await onlyPod();
  await endProgram(dockerIdOf(before));
  const later = await eventually("it has started again", async () => {
    const pod = await onlyPod();
    return pod.status.containerStatuses?.[0]?.restartCount === 1 && dockerIdOf(pod) !== dockerIdOf(before) && pod;
  });
  assert.equal(later.status.podIP, before.status.podIP);
  await eventually("it answers", async () => (await platform.request(HOST)).status === 200);
  assert.match(await platform.kubectl("logs", later.metadata.name, "--previous"), /^served \d+ requests\n$/);
});

test("freeze and thaw: the container stands still, and what is asked meanwhile is answered afterwards", { skip: needsDaemon }, async (t) => {
  const over = new AbortController();
  t.after(() => over.abort());
  const engine = await engineBeside(platform, "container", over.signal);
  const pod = (await onlyPod()) as unknown as Held["pod"];
  const pids = (await leadersOf(engine, pod)).flatMap(treeOf);
  await holdsStill({ engine, pod, pids, ask: () => platform.request(HOST), meanwhile: () => platform.kubectl("get", "--raw", "/readyz") });
});

const listener = (name: string, spec: object, container: object): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, ...spec, containers: [{ name: "c", image: "localhost/eider-story:test", stdin: true, ...container }] },
});

/** Writes a line to a pod by `kubectl attach`, with an end of the input behind it or without; answers what came back until the condition holds. */
async function attached(pod: string, line: string, { ends, until }: { readonly ends: boolean; readonly until: RegExp }): Promise<string> {
  const env = { ...process.env, KUBECONFIG: platform.state.kubeconfig, HOME: platform.data };
  const child = spawn("kubectl", ["attach", "-i", pod], { env, stdio: ["pipe", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.write(line);
  if (ends) child.stdin.end();
  try {
    await eventually(`${pod} answers`, async () => until.test(text));
  } finally {
    child.kill();
  }
  return text;
}

test("attach: an input that outlives who writes to it and an end of his, and what was heard is kept in a claim of storage", { skip: needsDaemon }, async () => {
  await platform.apply({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "kept" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  });
  const volumes = [{ name: "kept", persistentVolumeClaim: { claimName: "kept" } }];
  await platform.apply(listener("listener", { volumes }, { args: ["listen", "/kept/heard"], volumeMounts: [{ name: "kept", mountPath: "/kept" }] }));
  await platform.kubectl("wait", "pod", "listener", "--for=condition=Ready", "--timeout=60s");
  assert.equal(await attached("listener", "one\n", { ends: false, until: /one\n/ }), "heard one\n");
  assert.equal(await attached("listener", "two\n", { ends: true, until: /two\n/ }), "heard two\n");
  assert.equal(await attached("listener", "three\n", { ends: false, until: /three\n/ }), "heard three\n");
  const [folder = ""] = readdirSync(join(platform.data, "claims"));
  assert.equal(readFileSync(join(platform.data, "claims", folder, "heard"), "utf8"), "one\ntwo\nthree\n");
  await platform.kubectl("delete", "pod", "listener");
});

test("attach: an input that is given once ends with its first writer, and so does the program", { skip: needsDaemon }, async () => {
  await platform.apply(listener("once", { restartPolicy: "Never" }, { stdinOnce: true, args: ["listen", "/heard"] }));
  await platform.kubectl("wait", "pod", "once", "--for=condition=Ready", "--timeout=60s");
  assert.equal(await attached("once", "all\n", { ends: true, until: /over\n/ }), "heard all\nover\n");
  await platform.kubectl("wait", "pod", "once", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s");
  await platform.kubectl("delete", "pod", "once");
});

test("a deleted Service leaves no container, and neither does a platform that ends", { skip: needsDaemon }, async () => {
  await platform.kubectl("delete", "ksvc", NAME);
  await eventually("no container is left", async () => (await podContainersOf(platformId)).length === 0);
  await platform.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "stays" },
    spec: { containers: [{ name: "c", image: "localhost/eider-story:test", env: [{ name: "PORT", value: "8080" }] }] },
  });
  await platform.kubectl("wait", "pod", "stays", "--for=condition=Ready", "--timeout=60s");
  assert.equal((await podContainersOf(platformId)).length, 2);
  const { code, stderr } = await platform.eider("down", "--purge");
  assert.equal(code, 0, stderr);
  assert.deepEqual(await containersOf(platformId), []);
});
