// What pods use: told by the real kubectl 1.32, as numbers of the program that really runs.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, ran, root, type Ran } from "./platform.ts";

const skip = findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : process.platform !== "linux" && "there is no /proc";
let platform: Platform;

const kubectl = (...args: readonly string[]): Promise<Ran> =>
  ran("kubectl", args, { ...process.env, KUBECONFIG: platform.state.kubeconfig, HOME: platform.data });
async function out(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(...args);
  assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const labels = { app: "plain" };
const container = (name: string, port: string): object => ({
  name,
  image: "dev.local/busy:v1",
  env: [{ name: "PORT", value: port }],
  ports: [{ containerPort: Number(port) }],
});
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "plain" },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 2, containers: [container("main", "8080"), container("aside", "8081")] } },
  },
};

before(async () => {
  if (skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/busy"), "--image", "dev.local/busy:v1");
  assert.equal(built.code, 0, built.stderr);
});
after(() => platform?.stop());

test("kubectl top pods, their containers and the node", { skip }, async () => {
  await platform.apply(deployment);
  await out("rollout", "status", "deployment/plain", "--timeout=60s");
  const lines = (text: string): string[] => text.trimEnd().split("\n");
  const [head, row, ...others] = lines(await out("top", "pods"));
  assert.match(head ?? "", /^NAME +CPU\(cores\) +MEMORY\(bytes\) *$/);
  assert.match(row ?? "", /^plain-\S+ +\d+m +[1-9]\d*Mi *$/);
  assert.deepEqual(others, []);
  const containers = lines(await out("top", "pods", "--containers", "--no-headers")).map((line) => line.split(/\s+/)[1]);
  assert.deepEqual(new Set(containers), new Set(["main", "aside"]));
  assert.match(await out("top", "pods", "-l", "app=plain", "--no-headers"), /^plain-/);
  assert.match((await kubectl("top", "pods", "-l", "app=other")).stderr, /No resources found/);
  assert.match(await out("top", "pods", "-A", "--sum"), /\ndefault +plain-[\s\S]*\n +_+ +_+ *\n/);
  assert.match(await out("top", "nodes"), /^NAME +CPU\(cores\) +CPU\(?%\)? +MEMORY\(bytes\) +MEMORY\(?%\)? *\neider +\d+m +\d+% +\d+Mi +\d+% *\n$/);
  assert.match((await kubectl("top", "pod", "nobody")).stderr, /NotFound.*"nobody" not found/);
});

interface PodMetrics {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly name: string; readonly usage: { readonly cpu: string; readonly memory: string } }[];
}

const coresOf = (quantity: string): number => Number.parseFloat(quantity) * ({ n: 1e-9, u: 1e-6, m: 1e-3 }[quantity.at(-1) ?? ""] ?? 1);

test("a pod that works hard shows it, container by container", { skip }, async () => {
  const read = async (): Promise<PodMetrics> => {
    const raw = await out("get", "--raw", `/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dplain`);
    const [item] = (JSON.parse(raw) as { items: PodMetrics[] }).items;
    assert.ok(item !== undefined);
    return item;
  };
  const name = (await out("get", "pods", "-l", "app=plain", "-o", "name")).trim();
  assert.equal(
    await out(
      "exec",
      name,
      "-c",
      "main",
      "--",
      "node",
      "-e",
      "fetch(`http://127.0.0.1:${process.env.PORT}/burn`).then(async (a) => console.log(await a.text()))",
    ),
    "burning\n",
  );
  const busy = await eventually("the container that burns is seen", async () => {
    const { containers } = await read();
    const cores = Object.fromEntries(containers.map((one) => [one.name, coresOf(one.usage.cpu)]));
    return (cores["main"] ?? 0) > 10 * (cores["aside"] ?? Infinity) && cores;
  });
  assert.ok((busy["main"] ?? 0) > 0, JSON.stringify(busy));
  const { metadata, window, timestamp } = await read();
  assert.equal(metadata.labels["app"], "plain");
  assert.match(window, /^\d+(\.\d+)?s$/);
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});
