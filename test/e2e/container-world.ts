// What tests of the runtime `container` need: a daemon's socket, the real podman, and an image made of one static program.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram, root } from "./platform.ts";

const run = promisify(execFile);

/** Of the socket that the platform finds here, too; undefined where there is none. */
export const socketPath = [process.env["DOCKER_HOST"]?.replace(/^unix:\/\//, ""), "/var/run/docker.sock", "/run/podman/podman.sock"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

const podman = findProgram("podman");
const go = findProgram("go");

/** Why these tests cannot run here; false when they can. */
export const needsDaemon: string | false =
  socketPath === undefined
    ? "there is no socket of Docker or Podman"
    : podman === undefined || go === undefined
      ? "podman and go are not both on the PATH"
      : findProgram("kubectl") === undefined && "kubectl is not on the PATH";

const STORY = "localhost/eider-story:test";

/** The story's program as an image that only the daemon holds; answers its name. */
export async function buildStory(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "eider-story-"));
  try {
    const files = join(folder, "files");
    mkdirSync(files);
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
    await run(go ?? "go", ["build", "-ldflags=-s -w", "-o", join(files, "story"), "."], { cwd: join(root, "test/e2e/apps/story"), env });
    await run("tar", ["-cf", join(folder, "files.tar"), "-C", files, "--owner=0", "--group=0", "story"]);
    await run(podman ?? "podman", ["import", "--change", 'ENTRYPOINT ["/story"]', join(folder, "files.tar"), STORY]);
    return STORY;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Pushes it into the registry of a platform, by the real podman; answers its name there. */
export async function pushStory(registry: string): Promise<string> {
  const name = `${registry}/seeds/story:v1`;
  await run(podman ?? "podman", ["push", "--tls-verify=false", await buildStory(), name]);
  return name;
}

/** Past the platform. */
export async function endProgram(container: string): Promise<void> {
  await run(podman ?? "podman", ["kill", "--signal", "TERM", container]);
}

/** An answer of the daemon, as JSON. */
export function askDaemon<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: `/v1.41${path}`, headers: { Host: "docker" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text) as T));
    });
    call.once("error", reject);
    call.end();
  });
}

/** Names of the containers that a platform has made for pods. */
export async function podContainersOf(platform: string): Promise<readonly string[]> {
  return (await containersOf(platform)).filter((name) => !name.includes("eider__spare_"));
}

/** Names of all containers that a platform has made, networks that are made ahead included. */
export async function containersOf(platform: string): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.eider.platform=${platform}`] }));
  const found = await askDaemon<readonly { readonly Names: readonly string[] }[]>(`/containers/json?all=true&filters=${filters}`);
  return found.flatMap(({ Names }) => Names).toSorted();
}
