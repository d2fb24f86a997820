// Services that are scaled by CPU or memory, and a Deployment with a HorizontalPodAutoscaler of its own, on a real platform.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const skip = findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : process.platform !== "linux" && "there is no /proc";
/** The autoscaler looks every fifteen seconds, and CPU of a pod counts once it has been ready for a whole window. */
const LONG_MS = 240_000;
let platform: Platform;

before(async () => {
  if (skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/busy"), "--image", "dev.local/busy:v1");
  assert.equal(built.code, 0, built.stderr);
  // The autoscaler looks at both while the first test waits.
  await platform.apply(service("busy", { "autoscaling.knative.dev/metric": "cpu", "autoscaling.knative.dev/target": "80" }));
  await platform.apply(service("holder", { "autoscaling.knative.dev/metric": "memory", "autoscaling.knative.dev/target": "60" }));
  for (const [name, path, want] of [
    ["busy", "/burn", "burning"],
    ["holder", "/hold?mb=100", "done"],
  ] as const) {
    await platform.kubectl("wait", `ksvc/${name}`, "--for=condition=Ready", "--timeout=60s");
    assert.equal(await replicasOf(`${name}-00001`), "1");
    assert.equal(await ask(name, path), want);
  }
});
after(() => platform?.stop());

const service = (name: string, annotations: object): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name },
  spec: {
    template: {
      metadata: {
        annotations: {
          "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",
          "autoscaling.knative.dev/max-scale": "2",
          "autoscaling.knative.dev/window": "6s",
          ...annotations,
        },
      },
      spec: { containers: [{ image: "dev.local/busy:v1", resources: { requests: { cpu: "50m", memory: "16Mi" } } }] },
    },
  },
});

const replicasOf = (revision: string): Promise<string> =>
  platform.kubectl("get", "deployment", `${revision}-deployment`, "-o", "jsonpath={.status.readyReplicas}");
const ask = async (name: string, path: string): Promise<string> => (await platform.request(`${name}.default.localhost`, path)).body;

test("a Service of the HPA class with metric cpu is Ready, scales out under load and back", { skip, timeout: 2 * LONG_MS }, async () => {
  await eventually("a second pod", async () => (await replicasOf("busy-00001")) === "2", LONG_MS);
  const hpa = JSON.parse(await platform.kubectl("get", "hpa", "busy-00001", "-o", "json")) as Horizontal;
  assert.equal(hpa.status.desiredReplicas, 2);
  assert.equal(hpa.status.conditions.find(({ type }) => type === "ScalingActive")?.reason, "ValidMetricFound");
  assert.match(
    await platform.kubectl("describe", "hpa", "busy-00001"),
    /resource cpu on pods +\(as a percentage of request\): +\d+% \(\d+m\) \/ 80%[\s\S]*ScalingActive +True +ValidMetricFound/,
  );
  const events = await platform.kubectl("get", "events", "--field-selector", "reason=SuccessfulRescale", "-o", "jsonpath={.items[*].message}");
  assert.match(events, /New size: 2; reason: cpu resource utilization \(percentage of request\) above target/);
  const told = await platform.eider("explain", "scale", "busy");
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /HorizontalPodAutoscaler busy-00001/);
  // Whichever pod burns is told to rest.
  await eventually(
    "one pod again",
    async () => {
      await ask("busy", "/rest");
      return (await replicasOf("busy-00001")) === "1";
    },
    LONG_MS,
  );
});

interface Horizontal {
  readonly status: {
    readonly desiredReplicas: number;
    readonly currentMetrics: readonly { readonly resource?: { readonly current: { readonly averageValue: string } } }[];
    readonly conditions: readonly { readonly type: string; readonly reason: string }[];
  };
}

test("a Service of the HPA class with metric memory scales out with what its pods hold", { skip, timeout: LONG_MS + 60_000 }, async () => {
  await eventually("a second pod", async () => (await replicasOf("holder-00001")) === "2", LONG_MS);
  const { status } = JSON.parse(await platform.kubectl("get", "hpa", "holder-00001", "-o", "json")) as Horizontal;
  assert.match(status.currentMetrics[0]?.resource?.current.averageValue ?? "", /^\d+(Ki|Mi)?$/);
});

test("kubectl autoscale: a Deployment is kept within its bounds, and is no longer when the autoscaler is gone", { skip }, async () => {
  const labels = { app: "plain" };
  const container = { name: "main", image: "dev.local/busy:v1", ports: [{ containerPort: 8080 }], resources: { requests: { cpu: "100m" } } };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 2, containers: [container] } };
  const meta = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "plain" } };
  await platform.apply({ ...meta, spec: { replicas: 1, selector: { matchLabels: labels }, template } });
  await platform.kubectl("autoscale", "deployment", "plain", "--min=2", "--max=3", "--cpu-percent=80");
  await platform.kubectl("wait", "deployment/plain", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=60s");
  assert.match(await platform.kubectl("get", "hpa", "plain", "--no-headers"), /^plain +Deployment\/plain +cpu: \S+\/80% +2 +3 +/);
  await platform.kubectl("delete", "hpa", "plain");
  await platform.kubectl("scale", "deployment/plain", "--replicas=1");
  await platform.kubectl("wait", "deployment/plain", "--for=jsonpath={.status.readyReplicas}=1", "--timeout=60s");
});
