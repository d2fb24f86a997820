// Starts a platform, builds the suite's images and runs the suite against it; prints what the suite says. Argument: the folder KNATIVE_SUITES.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EIDER_INGRESS_CLASS } from "#kinds";
import { Platform } from "../e2e/platform.ts";

const IMAGES = ["grpc-ping", "httpproxy", "retry", "runtime", "timeout", "wsserver"];
const REPOSITORY = "dev.local";
const SUITE_MS = 600_000;

const [suites = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "eider-ingress-"));
// The suite dials the gateway as a node's port, and its pods find the inner gateway by its name, at port 80.
const platform = await Platform.start({ args: ["--http-port", "30080", "--internal-port", "80"] });
try {
  for (const image of IMAGES) {
    const source = join(folder, image);
    mkdirSync(source);
    copyFileSync(join(suites, "images", image), join(source, "app"));
    writeFileSync(join(source, "Procfile"), "web: ./app\n");
    const { code, stderr } = await platform.eider("build", source, "--image", `${REPOSITORY}/${image}:latest`);
    if (code !== 0) throw new Error(`image ${image}: ${stderr}`);
  }
  await platform.kubectl("create", "namespace", "serving-tests");
  const flags = ["-ingressendpoint", "127.0.0.1", "-ingressClass", EIDER_INGRESS_CLASS, "-dockerrepo", REPOSITORY, "-tag", "latest"];
  const args = ["-test.v", `-test.timeout=${SUITE_MS}ms`, "-kubeconfig", platform.state.kubeconfig, ...flags, "-enable-beta", "-enable-alpha"];
  const suite = spawn(join(suites, "ingress"), args, { stdio: ["ignore", "inherit", "inherit"], cwd: folder });
  // Its exit code says whether all passed; what we expect of it is another question.
  await new Promise((resolve, reject) => suite.once("error", reject).once("exit", resolve));
} finally {
  await platform.stop();
  rmSync(folder, { recursive: true, force: true });
}
