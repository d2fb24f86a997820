// Runs Knative Serving's own conformance suites, unmodified, against a platform of their own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PUBLIC_GATEWAY } from "#controllers";
import type { RuntimeName } from "#runtimes";
import { Platform } from "../e2e/platform.ts";
import { pushStaticBase } from "./static-base.ts";

/** Files of the folder KNATIVE_SUITES. */
export const SUITES = ["apiv1", "apiv1beta1", "runtime"] as const;
const IMAGES = "serving-images";
const PODMAN_SOCKET = "/run/podman/podman.sock";
const SUITE_MS = 900_000;

/** Why the suites cannot run; undefined when they can. */
export function noServingSuites(folder: string | undefined): string | undefined {
  const missing = [...SUITES, IMAGES].filter((name) => folder === undefined || !existsSync(join(folder, name)));
  return missing.length === 0 ? undefined : `KNATIVE_SUITES does not name a folder with ${missing.join(", ")} of Knative Serving`;
}

/** Why the suites cannot run on a runtime; undefined when they can. */
export function noRuntime(runtime: "container" | "sandbox"): string | undefined {
  if (runtime === "sandbox") return process.platform === "linux" ? undefined : "the runtime sandbox needs Linux";
  const { status, stderr } = spawnSync("podman", ["--url", `unix://${PODMAN_SOCKET}`, "version"], { encoding: "utf8" });
  return status === 0 ? undefined : `no Podman behind ${PODMAN_SOCKET}: ${stderr ?? "it is not installed"}`;
}

export interface SuitesRun {
  /** Folder KNATIVE_SUITES. */
  readonly folder: string;
  /** What all pods run on. */
  readonly runtime: RuntimeName;
  /** Go's pattern of tests; all without one. */
  readonly pattern?: string;
}

/** What the suites print, one after the other. */
export async function runServingSuites({ folder, runtime, pattern }: SuitesRun): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "eider-suites-"));
  // The suites dial the gateway as a node's port; the registry's port is in the names of their images.
  const platform = await Platform.start({ args: ["--http-port", String(await freeNodePort()), "--registry-port", "0"] });
  try {
    const { registry = "" } = platform.state;
    const repository = `${registry}/knative`;
    await buildImages(platform, { folder: join(folder, IMAGES), work, repository, base: await pushStaticBase(registry, readdirSync(join(folder, IMAGES))) });
    await platform.kubectl(
      "patch",
      "configmap",
      "config-deployment",
      "-n",
      "knative-serving",
      "--type",
      "merge",
      "-p",
      JSON.stringify({ data: { "runtime-class-name": `${runtime}: {}\n` } }),
    );
    for (const namespace of ["serving-tests", "serving-tests-alt"]) await platform.kubectl("create", "namespace", namespace);
    // What the suites' own set-up makes beside the namespaces.
    const value = ["--from-literal", "testKey=testValue", "-n", "serving-tests"];
    await platform.kubectl("create", "configmap", "conformance-test-configmap", ...value);
    await platform.kubectl("create", "secret", "generic", "conformance-test-secret", ...value);
    let output = "";
    for (const suite of SUITES) {
      const flags = ["-test.v", `-test.timeout=${SUITE_MS}ms`, "-kubeconfig", platform.state.kubeconfig, "-ingressendpoint", "127.0.0.1"];
      flags.push("-dockerrepo", repository, "-tag", "latest", "-enable-beta", "-disable-logstream");
      if (pattern !== undefined) flags.push("-test.run", pattern);
      output += await runSuite(join(folder, suite), flags, work);
    }
    return output;
  } finally {
    await platform.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

/** Of the range that Kubernetes gives to nodes; the first that nobody listens on. */
async function freeNodePort(): Promise<number> {
  for (let port = 30_081; port < 32_768; port++) {
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
  throw new Error("no free port between 30081 and 32767");
}

/** Each program becomes an image of its name. */
async function buildImages(
  platform: Platform,
  { folder, work, repository, base }: { readonly folder: string; readonly work: string; readonly repository: string; readonly base: string },
): Promise<void> {
  for (const name of readdirSync(folder)) {
    const source = join(work, name);
    mkdirSync(source);
    copyFileSync(join(folder, name), join(source, "app"));
    chmodSync(join(source, "app"), 0o755);
    writeFileSync(join(source, "Procfile"), "web: ./app\n");
    const { code, stderr } = await platform.eider("build", source, "--base", base, "--image", `${repository}/${name}:latest`);
    if (code !== 0) throw new Error(`image ${name}: ${stderr}`);
  }
}

/** Its exit code says whether all passed; what we expect of it is another question. */
function runSuite(program: string, flags: readonly string[], cwd: string): Promise<string> {
  const [GATEWAY_OVERRIDE, GATEWAY_NAMESPACE_OVERRIDE] = PUBLIC_GATEWAY.split(".");
  const child = spawn(program, flags, { stdio: ["ignore", "pipe", "pipe"], cwd, env: { ...process.env, GATEWAY_OVERRIDE, GATEWAY_NAMESPACE_OVERRIDE } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => child.once("error", reject).once("close", () => resolve(output)));
}
