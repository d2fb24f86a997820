// One folder, built once with a bundled base: the same image on every runtime of this machine.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, findProgram, Platform } from "./platform.ts";

const skip = (process.platform !== "linux" && "bases are bundled on Linux") || (findProgram("kubectl") === undefined && "no kubectl");

const SERVER = `require("http").createServer((_, response) => response.end(process.version + " " + process.execPath)).listen(process.env.PORT)`;

/** Runtimes that this platform has: on others a pod is told that there is none of the name. */
async function runtimesOf(platform: Platform): Promise<string[]> {
  const found: string[] = [];
  for (const name of ["process", "sandbox", "container"]) {
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `try-${name}` },
      spec: { runtimeClassName: name, containers: [{ name: "c", image: "dev.local/app:v1" }] },
    };
    await platform.apply(body);
    const why = await eventually(`a pod on ${name} is judged`, async () => {
      const pod = JSON.parse(await platform.kubectl("get", "pod", `try-${name}`, "-o", "json")) as {
        status: { containerStatuses?: { state: { running?: object; waiting?: { reason?: string; message?: string } } }[] };
      };
      const state = pod.status.containerStatuses?.[0]?.state;
      if (state?.running !== undefined) return "runs";
      return state?.waiting?.reason === "CreatePodSandboxError" && (state.waiting.message ?? "");
    });
    if (why === "runs") found.push(name);
  }
  return found;
}

test("the same folder built once runs on every runtime", { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "eider-base-"));
  writeFileSync(join(dir, "server.js"), SERVER);
  writeFileSync(join(dir, "package.json"), '{"scripts":{"start":"node server.js"}}');
  const platform = await Platform.start();
  t.after(async () => {
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const built = await platform.eider("build", dir, "--image", "dev.local/app:v1", "--base", "bundled");
  assert.equal(built.code, 0, built.stderr);
  await platform.kubectl(
    "patch",
    "configmap",
    "config-features",
    "-n",
    "knative-serving",
    "--type",
    "merge",
    "-p",
    '{"data":{"kubernetes.podspec-runtimeclassname":"enabled"}}',
  );
  const runtimes = await runtimesOf(platform);
  assert.ok(runtimes.includes("process"));
  t.diagnostic(`runtimes: ${runtimes.join(", ")}`);
  for (const name of runtimes) {
    await platform.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: `on-${name}` },
      spec: { template: { spec: { runtimeClassName: name, containers: [{ image: "dev.local/app:v1" }] } } },
    });
    const body = await eventually(`it answers on ${name}`, async () => {
      const answer = await platform.request(`on-${name}.default.localhost`);
      return answer.status === 200 && answer.body;
    });
    // `process` and `sandbox` supply Node by the image's label; in a container it is that of the image.
    assert.ok(body.startsWith(`${process.version} `), body);
    assert.equal(body.endsWith(" /usr/local/bin/node"), name === "container", body);
  }
});
