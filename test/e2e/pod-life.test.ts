// Hooks, sidecars, deadlines and Events of pods on the runtimes `process` and `sandbox`, as kubectl shows them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compileProbe, storeLayered } from "./layered-image.ts";
import { deadlineStory, hooksStory, sidecarStory, type LifeWorld } from "./pod-life.ts";
import { findProgram, Platform, root } from "./platform.ts";

const noKubectl = findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false;
const missing = ["go", "ip", "unshare"].find((name) => findProgram(name) === undefined);
const noSandbox = noKubectl !== false ? noKubectl : process.getuid?.() !== 0 ? "needs root" : missing === undefined ? false : `${missing} is not on the PATH`;
const IMAGE = { process: "dev.local/moods", sandbox: "dev.local/layered:v1" };
const worlds = new Map<string, LifeWorld>();
let platform: Platform | undefined;

before(async () => {
  if (noKubectl !== false) return;
  // Docker and Podman would be taken before `sandbox`.
  platform = await Platform.start({ env: { ...process.env, DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  const built = await platform.eider("build", join(root, "test/e2e/apps/moods"), "--image", IMAGE.process);
  assert.equal(built.code, 0, built.stderr);
  const node = (script: string): readonly string[] => ["node", "-e", script];
  worlds.set("process", {
    platform,
    runtime: "process",
    image: IMAGE.process,
    stays: { command: node("setInterval(() => {}, 1e6)") },
    ends: { command: node("setTimeout(() => {}, 500)") },
    yes: node("process.exit(0)"),
    no: node("process.exit(7)"),
  });
  if (noSandbox !== false) return;
  await storeLayered(platform.data, await compileProbe(), { name: IMAGE.sandbox });
  worlds.set("sandbox", {
    platform,
    runtime: "sandbox",
    image: IMAGE.sandbox,
    stays: {},
    ends: { args: ["bye"] },
    yes: ["/app/probe", "hello"],
    no: ["/app/probe", "fail"],
  });
});

after(async () => platform?.stop());

for (const [runtime, skip] of [
  ["process", noKubectl],
  ["sandbox", noSandbox],
] as const) {
  const world = (): LifeWorld => worlds.get(runtime) as LifeWorld;
  test(`${runtime}: hooks are run, and told when they fail; describe shows the kubelet's events`, { skip }, () => hooksStory(world()));
  test(`${runtime}: a sidecar is started first and does not hold the pod`, { skip }, () => sidecarStory(world()));
  test(`${runtime}: a pod whose time is over is Failed`, { skip }, () => deadlineStory(world()));
}
