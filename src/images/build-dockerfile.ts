// Dockerfiles are built by a Docker-compatible daemon; what comes out goes into the store, for every runtime.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadArchive } from "./docker-load.ts";
import { ImageError } from "./image-error.ts";
import type { ImageStore } from "./image-store.ts";
import { layerOf } from "./layer.ts";
import { ignoresOf, readTree } from "./source-tree.ts";

/** As much of a daemon as a build needs; paths are below its API's version. */
export interface BuildDaemon {
  /** The answer's body as it comes. Rejects when the daemon refuses. */
  open(request: DaemonCall, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface DaemonCall {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DockerfileBuild {
  readonly store: ImageStore;
  readonly dir: string;
  /** Relative to the folder. */
  readonly dockerfile: string;
  readonly scratch: string;
  readonly progress: (line: string) => void;
  /** Undefined when no daemon answers. */
  readonly daemon: () => Promise<BuildDaemon | undefined>;
}

const NAMES = ["Dockerfile", "Containerfile"];
const LINE_LENGTH_MAX = 1 << 16;

/** The Dockerfile of a folder, if it has one. */
export function dockerfileIn(dir: string): string | undefined {
  return NAMES.find((name) => existsSync(join(dir, name)));
}

/** Answers the digest of a manifest in the store. Throws ImageError `BuildFailed` with the builder's own words. */
export async function buildDockerfile(
  { store, dir, dockerfile, scratch, progress, daemon }: DockerfileBuild,
  signal: AbortSignal,
): Promise<{ readonly digest: string; readonly files: number }> {
  if (!existsSync(join(dir, dockerfile))) throw new ImageError("BuildFailed", `there is no ${dockerfile} in ${dir}`);
  const found = await daemon();
  if (found === undefined) {
    const others = "folders with package.json, go.mod, requirements.txt or a Procfile are built without one";
    throw new ImageError(
      "BuildFailed",
      `a Dockerfile is built by Docker or Podman, and no daemon answers (DOCKER_HOST, /var/run/docker.sock, Podman's socket); ${others}`,
    );
  }
  const context = await readTree(dir, await ignoresOf(dir));
  const name = `eider.local/build:${randomBytes(8).toString("hex")}`;
  progress(`sending ${context.length} files to the daemon`);
  try {
    const query = { dockerfile, t: name, rm: "1", forcerm: "1" };
    const headers = { "content-type": "application/x-tar" };
    await watchBuild(await found.open({ method: "POST", path: "/build", query, headers, body: layerOf(context, "").stream }, signal), progress);
    const archive = await found.open({ method: "GET", path: `/images/${name}/get` }, signal);
    return { digest: await loadArchive(store, archive, scratch), files: context.length };
  } catch (error) {
    throw error instanceof ImageError || signal.aborted
      ? error
      : new ImageError("BuildFailed", `the daemon could not build ${dockerfile}: ${(error as Error).message}`, error);
  } finally {
    // The image lives in our store; the daemon keeps its layers as a cache of builds.
    await found.open({ method: "DELETE", path: `/images/${name}` }, new AbortController().signal).then(drain, () => undefined);
  }
}

/** The daemon answers 200 and tells of failures in lines of JSON. */
async function watchBuild(answer: AsyncIterable<Uint8Array>, progress: (line: string) => void): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  const last: string[] = [];
  const take = (line: string): void => {
    if (line.trim() === "") return;
    const { stream, error } = JSON.parse(line) as { readonly stream?: string; readonly error?: string };
    if (error !== undefined)
      throw new ImageError("BuildFailed", [`the Dockerfile could not be built: ${error.trim()}`, ...last.map((said) => `  ${said}`)].join("\n"));
    for (const said of (stream ?? "").split("\n").filter((each) => each.trim() !== "")) {
      last.push(said);
      if (last.length > 20) last.shift();
      progress(said);
    }
  };
  for await (const chunk of answer) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_LENGTH_MAX) throw new ImageError("BuildFailed", "the daemon's answer has a line without end");
    for (const line of lines) take(line);
  }
  take(rest);
}

async function drain(answer: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of answer) void chunk;
}
