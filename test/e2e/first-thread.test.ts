// One thread through every room, with real processes: from a folder and a manifest to an answer from zero, back to zero, and through a kill.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const HOST = "hello.default.localhost";
const manifest = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "hello", namespace: "default" },
  spec: {
    template: {
      // The shortest window, so that the way back to zero is seen soon.
      metadata: { annotations: { "autoscaling.knative.dev/window": "6s", "autoscaling.knative.dev/min-scale": "0" } },
      spec: { containers: [{ image: "dev.local/hello", env: [{ name: "TARGET", value: "Eider" }] }] },
    },
  },
};

const withKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

before(async () => {
  platform = await Platform.start();
});
after(async () => {
  await platform?.stop();
});

const ready = async (): Promise<string> =>
  (await platform.kubectl("get", "ksvc", "hello", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")).trim();
const pods = async (): Promise<string[]> =>
  (await platform.kubectl("get", "pods", "-l", "serving.knative.dev/service=hello", "-o", "name")).trim().split("\n").filter(Boolean);

test("a folder is built, a Service applied with kubectl becomes ready and answers", withKubectl, async () => {
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello");
  assert.equal(built.code, 0, built.stderr);
  await platform.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config-autoscaler", namespace: "knative-serving" },
    data: { "scale-to-zero-grace-period": "1s" },
  });
  await platform.apply(manifest);
  await eventually("the Service is ready", async () => (await ready()) === "True");
  const url = new URL((await platform.kubectl("get", "ksvc", "hello", "-o", "jsonpath={.status.url}")).trim());
  assert.equal(url.hostname, HOST);
  assert.equal(url.port, new URL(platform.state.http).port);
  const answer = await platform.request(HOST);
  assert.deepEqual([answer.status, answer.body], [200, "Hello Eider!\n"]);
});

test("the whole chain of children is there, under Knative's names", withKubectl, async () => {
  const names = (
    await platform.kubectl(
      "get",
      "configurations,routes,revisions,podautoscalers,serverlessservices,deployments,replicasets,ingresses.networking.internal.knative.dev",
      "-o",
      "name",
    )
  )
    .trim()
    .split("\n");
  const kinds = names.map((name) => name.replace(/^(replicaset.*)-[0-9a-z]+$/, "$1-HASH"));
  assert.deepEqual(kinds.sort(), [
    "configuration.serving.knative.dev/hello",
    "deployment.apps/hello-00001-deployment",
    "ingress.networking.internal.knative.dev/hello",
    "podautoscaler.autoscaling.internal.knative.dev/hello-00001",
    "replicaset.apps/hello-00001-deployment-HASH",
    "revision.serving.knative.dev/hello-00001",
    "route.serving.knative.dev/hello",
    "serverlessservice.networking.internal.knative.dev/hello-00001",
  ]);
});

test("it goes back to zero, and the next request is held and answered", withKubectl, async () => {
  await eventually("no pod is left", async () => (await pods()).length === 0);
  const answer = await platform.request(HOST);
  assert.deepEqual([answer.status, answer.body], [200, "Hello Eider!\n"]);
  assert.equal((await pods()).length, 1);
});

test("kill -9 of the platform: the objects are there and the same pod answers again", withKubectl, async () => {
  const [before] = await pods();
  const pidBefore = (await platform.request(HOST, "/pid")).body;
  process.kill(platform.state.pid, "SIGKILL");
  await eventually("the platform is dead", async () => !existsSync(`/proc/${platform.state.pid}`));
  const answer = await platform.request(HOST, "/pid");
  assert.deepEqual([answer.status, answer.body], [200, pidBefore]);
  await eventually("the API answers again", async () => (await platform.kubectl("get", "ksvc", "hello").catch(() => "")) !== "");
  assert.deepEqual(await pods(), [before]);
  assert.equal(await ready(), "True");
});

test("delete takes everything along", withKubectl, async () => {
  await platform.kubectl("delete", "ksvc", "hello");
  await eventually(
    "nothing is left",
    async () => (await platform.kubectl("get", "revisions,deployments,pods,podautoscalers,routes", "-o", "name")).trim() === "",
  );
});
