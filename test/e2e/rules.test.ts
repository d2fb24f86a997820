// Rules of a request on a real platform: the waiting page, and a pod that is killed between two requests.
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const withKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

before(async () => {
  platform = await Platform.start();
});
after(async () => {
  await platform?.stop();
});

function service(name: string, annotations: Readonly<Record<string, string>>, env: readonly object[] = []): object {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { template: { metadata: { annotations }, spec: { containers: [{ image: "dev.local/rules", env }] } } },
  };
}

/** One request with a method and header fields of its own choice, on a connection of `agent`. */
function ask(
  host: string,
  agent: Agent,
  how: { readonly method?: string; readonly path?: string; readonly accept?: string } = {},
): Promise<{ status: number; body: string }> {
  const { method = "GET", path = "/", accept = "*/*" } = how;
  return new Promise((done, fail) => {
    const call = request(platform.state.http + path, { method, agent, headers: { Host: `${host}.default.localhost`, Accept: accept } }, (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
      response.on("error", fail);
    });
    call.once("error", fail);
    call.end();
  });
}

async function isReady(name: string): Promise<boolean> {
  return (await platform.kubectl("get", "ksvc", name, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")).trim() === "True";
}

test("a browser at zero sees the page, everybody else is held, and then both get the application", withKubectl, async () => {
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/rules");
  assert.equal(built.code, 0, built.stderr);
  const zero = { "autoscaling.knative.dev/initial-scale": "0", "eider.dev/waiting-page": "true" };
  await platform.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config-autoscaler", namespace: "knative-serving" },
    data: { "allow-zero-initial-scale": "true" },
  });
  await eventually("the setting is in force", async () => platform.apply(service("page", zero)).catch(() => undefined));
  await eventually("the Service is ready", () => isReady("page"));
  const agent = new Agent({ keepAlive: true });
  const page = await ask("page", agent, { accept: "text/html" });
  assert.equal(page.status, 503);
  assert.match(page.body, /<title>Starting<\/title>/);
  const held = await ask("page", agent);
  assert.deepEqual([held.status, held.body.startsWith("Hello")], [200, true], held.body);
  assert.equal((await ask("page", agent, { accept: "text/html" })).status, 200);
  agent.destroy();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("the only pod is killed twice: the next request waits until it is back, ten seconds the second time", withKubectl, async () => {
  await platform.apply(service("mortal", { "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "1" }));
  await eventually("the Service is ready", () => isReady("mortal"));
  const agent = new Agent({ keepAlive: true });
  const answers: number[] = [];
  for (const method of ["GET", "POST"]) {
    assert.equal((await ask("mortal", agent)).status, 200);
    const pid = Number((await ask("mortal", agent, { path: "/pid" })).body);
    process.kill(pid, "SIGKILL");
    // A POST that a dying process still takes in cannot be sent again.
    if (method === "POST") await eventually("the process is gone", () => Promise.resolve(!isAlive(pid)));
    answers.push((await ask("mortal", agent, { method })).status);
  }
  assert.deepEqual(answers, [200, 200]);
  agent.destroy();
});
