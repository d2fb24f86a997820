// From a source folder to an image in the store; no daemon.
import { access, copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ImageError } from "./image-error.ts";
import { parseImageName } from "./image-name.ts";
import type { ImageStore } from "./image-store.ts";
import { layerOf } from "./layer.ts";
import { BASE_LABEL, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, type ImageConfig, type ImageManifest } from "./oci.ts";
import { argvFor, nodeArgvFor, webCommandOf, type PackageJson } from "./start-command.ts";
import { ignoresOf, readTree, sorted, type TreeEntry } from "./source-tree.ts";
import { scriptName, stripTypes } from "./strip-types.ts";
import { runTool } from "./run-tool.ts";

export interface BuildOptions {
  readonly store: ImageStore;
  readonly dir: string;
  readonly name: string;
  /** Environment of the tools that run (`npm ci`, `go build`). */
  readonly env: Readonly<Record<string, string>>;
  /** One line each, for people. */
  readonly progress: (line: string) => void;
}

export interface BuiltImage {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  readonly digest: string;
  readonly kind: "node" | "go" | "procfile";
  readonly files: number;
  readonly layerBytes: number;
}

/** What goes into the image. */
interface Recipe {
  readonly kind: BuiltImage["kind"];
  readonly entries: readonly TreeEntry[];
  readonly entrypoint: readonly string[];
  readonly base: "node26" | "none";
}

/** Same as Go's and OCI's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Builds and tags. Throws ImageError. */
export async function buildImage(options: BuildOptions, signal: AbortSignal): Promise<BuiltImage> {
  const name = parseImageName(options.name);
  if (name?.tag === undefined) throw new ImageError("InvalidName", `${JSON.stringify(options.name)} is not an image name; try for instance dev.local/hello:v1`);
  const dir = resolve(options.dir);
  if (!(await stat(dir).catch(() => undefined))?.isDirectory()) throw new ImageError("NoSuchFolder", `there is no folder ${dir}`);
  const scratch = await mkdtemp(join(tmpdir(), "eider-build-"));
  try {
    const recipe = await recipeFor({ ...options, dir, scratch }, signal);
    options.progress(`packing ${recipe.entries.length} files`);
    const { digest, layerBytes } = await store(options.store, recipe);
    await options.store.tag(name.full, digest);
    options.progress(`built ${name.full}@${digest}`);
    return { name: name.full, digest, kind: recipe.kind, files: recipe.entries.length, layerBytes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Build = BuildOptions & { readonly scratch: string };

async function recipeFor(build: Build, signal: AbortSignal): Promise<Recipe> {
  const has = (file: string): Promise<boolean> =>
    access(join(build.dir, file)).then(
      () => true,
      () => false,
    );
  const web = (await has("Procfile")) ? webCommandOf(await readFile(join(build.dir, "Procfile"), "utf8")) : undefined;
  if (await has("package.json")) return nodeRecipe(build, web, signal);
  if (await has("go.mod")) return goRecipe(build, web, signal);
  if (web !== undefined) {
    const entries = await readTree(build.dir, await ignoresOf(build.dir));
    const entrypoint = argvFor(web);
    return { kind: "procfile", entries, entrypoint, base: entrypoint[0] === "node" ? "node26" : "none" };
  }
  throw new ImageError(
    "NothingRecognised",
    `${build.dir} has neither package.json (Node, TypeScript) nor go.mod (Go) nor a Procfile with a line "web: COMMAND"`,
  );
}

async function nodeRecipe(build: Build, web: string | undefined, signal: AbortSignal): Promise<Recipe> {
  const { dir, progress } = build;
  const manifest = parseManifest(await readFile(join(dir, "package.json"), "utf8"));
  const sources = await readTree(dir, await ignoresOf(dir));
  const files = new Set(sources.map((entry) => entry.path));
  const argv = web === undefined ? nodeArgvFor(manifest, (path) => files.has(path)) : argvFor(web);
  if (argv === undefined)
    throw new ImageError("NothingRecognised", `package.json in ${dir} has no "start" script and no "main", and there is no index, server or app file`);
  const entrypoint = argv.map((word) => (files.has(word.replace(/^\.\//, "")) ? scriptName(word) : word));
  const missing = Object.keys(manifest.dependencies ?? {}).length > 0 && !files.has("node_modules");
  const installed = missing ? await installDependencies(build, files, signal) : [];
  progress("stripping types of TypeScript sources");
  const entries = sorted([...(await stripTypes(sources)), ...installed]);
  return { kind: "node", entries, entrypoint, base: "node26" };
}

function parseManifest(text: string): PackageJson {
  try {
    return JSON.parse(text) as PackageJson;
  } catch (error) {
    throw new ImageError("BuildFailed", `package.json is not JSON: ${(error as Error).message}`, error);
  }
}

/** Dependencies as the lock file has them, installed aside: the source folder stays as it is. */
async function installDependencies(build: Build, files: ReadonlySet<string>, signal: AbortSignal): Promise<TreeEntry[]> {
  const { dir, scratch, env, progress } = build;
  if (!files.has("package-lock.json")) {
    throw new ImageError("BuildFailed", `${dir} has dependencies, but neither node_modules nor package-lock.json: run npm install there first`);
  }
  progress("installing dependencies (npm ci)");
  for (const file of ["package.json", "package-lock.json"]) await copyFile(join(dir, file), join(scratch, file));
  await runTool({ argv: ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd: scratch, env, progress }, signal);
  const tree = await readTree(scratch, await ignoresOf(scratch));
  return tree.filter((entry) => entry.path === "node_modules" || entry.path.startsWith("node_modules/"));
}

async function goRecipe(build: Build, web: string | undefined, signal: AbortSignal): Promise<Recipe> {
  const { dir, scratch, env, progress } = build;
  const binary = join(scratch, "app");
  progress("compiling (go build)");
  const argv = ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-buildid= -s -w", "-o", binary, "."];
  await runTool({ argv, cwd: dir, env: { ...env, CGO_ENABLED: "0" }, progress }, signal);
  const ignores = await ignoresOf(dir);
  const rest = await readTree(dir, (path) => ignores(path) || /(?:\.go|^go\.(?:mod|sum|work)|^app)$/.test(path) || /^vendor(?:\/|$)/.test(path));
  const app: TreeEntry = { type: "file", path: "app", executable: true, size: (await stat(binary)).size, source: binary };
  return { kind: "go", entries: sorted([...rest, app]), entrypoint: web === undefined ? ["./app"] : argvFor(web), base: "none" };
}

async function store(images: ImageStore, recipe: Recipe): Promise<{ readonly digest: string; readonly layerBytes: number }> {
  const layer = layerOf(recipe.entries, "workspace");
  const stored = await images.putStream(layer.stream);
  const config: ImageConfig = {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: process.platform,
    config: { Entrypoint: recipe.entrypoint, WorkingDir: "/workspace", Labels: { [BASE_LABEL]: recipe.base } },
    rootfs: { type: "layers", diff_ids: [layer.diffId()] },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await images.putBlob(configBytes), size: configBytes.length },
    layers: [{ mediaType: LAYER_TYPE, digest: stored.digest, size: stored.size }],
  };
  const digest = await images.putBlob(Buffer.from(JSON.stringify(manifest)));
  return { digest, layerBytes: stored.size };
}
