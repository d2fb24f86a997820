// What of a source folder goes into an image and how it is started: Node, Go, Python, or any command.
import { access, copyFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "./image-error.ts";
import { pythonRecipe } from "./python-recipe.ts";
import { runTool } from "./run-tool.ts";
import { ignoresOf, readTree, sorted, type TreeEntry } from "./source-tree.ts";
import { argvFor, nodeArgvFor, webCommandOf, type PackageJson } from "./start-command.ts";
import { scriptName, stripTypes } from "./strip-types.ts";

/** What goes into the image. */
export interface Recipe {
  readonly kind: "node" | "go" | "python" | "procfile";
  readonly entries: readonly TreeEntry[];
  readonly entrypoint: readonly string[];
  /** `NAME=value` lines. */
  readonly env: readonly string[];
  /** `node26`, `python3.11`, `none` */
  readonly base: string;
}

export interface Build {
  readonly dir: string;
  /** An empty folder that is removed afterwards. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  /** One line each, for people. */
  readonly progress: (line: string) => void;
}

/** How the folder is built. Throws ImageError `NothingRecognised` or `BuildFailed`. */
export async function recipeFor(build: Build, signal: AbortSignal): Promise<Recipe> {
  const has = (file: string): Promise<boolean> =>
    access(join(build.dir, file)).then(
      () => true,
      () => false,
    );
  const web = (await has("Procfile")) ? webCommandOf(await readFile(join(build.dir, "Procfile"), "utf8")) : undefined;
  if (await has("package.json")) return nodeRecipe(build, web, signal);
  if (await has("go.mod")) return goRecipe(build, web, signal);
  const python = await pythonRecipe(build, web, signal);
  if (python !== undefined) return python;
  if (web !== undefined) {
    const entries = await readTree(build.dir, await ignoresOf(build.dir));
    const entrypoint = argvFor(web);
    return { kind: "procfile", entries, entrypoint, env: [], base: entrypoint[0] === "node" ? "node26" : "none" };
  }
  throw new ImageError(
    "NothingRecognised",
    `${build.dir} has neither package.json (Node, TypeScript) nor go.mod (Go) nor requirements.txt or a main.py (Python) nor a Dockerfile nor a Procfile with a line "web: COMMAND"`,
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
  return { kind: "node", entries, entrypoint, env: [], base: "node26" };
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
  return { kind: "go", entries: sorted([...rest, app]), entrypoint: web === undefined ? ["./app"] : argvFor(web), env: [], base: "none" };
}
