// Python folders: the files as they are, and what requirements.txt asks for in a folder beside them.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Build, Recipe } from "./build-recipe.ts";
import { ImageError } from "./image-error.ts";
import { outputOfTool, runTool } from "./run-tool.ts";
import { ignoresOf, readTree, sorted, type TreeEntry } from "./source-tree.ts";
import { argvFor } from "./start-command.ts";

/** Packages lie here; relative, so that they are found wherever the image is unpacked. */
const PACKAGES = ".python_packages";
const ENTRY_FILES = ["main.py", "app.py", "server.py", "index.py", "src/main.py", "src/app.py"];
/** Compiled files hold times. */
const LEFT_OUT = /(?:^|\/)(?:__pycache__(?:\/|$)|\.venv(?:\/|$)|venv(?:\/|$))|\.pyc$/;
const MINOR = /^Python (3\.\d+)/;

/** Undefined when the folder is no Python app. */
export async function pythonRecipe(build: Build, web: string | undefined, signal: AbortSignal): Promise<Recipe | undefined> {
  const ignores = await ignoresOf(build.dir);
  const sources = await readTree(build.dir, (path) => ignores(path) || LEFT_OUT.test(path));
  const files = new Set(sources.map(({ path }) => path));
  const entry = ENTRY_FILES.find((file) => files.has(file));
  const needs = files.has("requirements.txt");
  if (!needs && entry === undefined) return undefined;
  if (web === undefined && entry === undefined)
    throw new ImageError(
      "NothingRecognised",
      `${build.dir} has requirements.txt, but neither ${ENTRY_FILES.slice(0, 3).join(", ")} nor a Procfile with a line "web: COMMAND"`,
    );
  const argv = web === undefined ? ["python3", entry ?? ""] : argvFor(web);
  const python = await pythonOf(build, signal);
  const packages = needs ? await installPackages(build, python, signal) : [];
  return {
    kind: "python",
    entries: sorted([...sources, ...packages]),
    entrypoint: pythonArgv(argv, new Set(packages.map(({ path }) => path))),
    env: packages.length === 0 ? ["PYTHONUNBUFFERED=1"] : [`PYTHONPATH=${PACKAGES}`, "PYTHONUNBUFFERED=1"],
    base: `python${python.version}`,
  };
}

/** `gunicorn app:app` is a script of the packages: Python runs it, whatever its first line says. */
export function pythonArgv(argv: readonly string[], packages: ReadonlySet<string>): readonly string[] {
  const [program = "", ...args] = argv;
  const script = `${PACKAGES}/bin/${program}`;
  if (packages.has(script)) return ["python3", script, ...args];
  return program === "python" ? ["python3", ...args] : argv;
}

interface Python {
  readonly program: string;
  /** `3.11` */
  readonly version: string;
}

async function pythonOf({ dir, env, progress }: Build, signal: AbortSignal): Promise<Python> {
  for (const program of ["python3.11", "python3"]) {
    const output = await outputOfTool({ argv: [program, "--version"], cwd: dir, env, progress }, signal).catch(() => "");
    const version = MINOR.exec(output)?.[1];
    if (version !== undefined) return { program, version };
  }
  throw new ImageError("BuildFailed", "python3 is needed for this build and was not found on the PATH");
}

async function installPackages({ dir, scratch, env, progress }: Build, { program }: Python, signal: AbortSignal): Promise<TreeEntry[]> {
  progress("installing requirements (pip)");
  const target = join(scratch, PACKAGES);
  const requirements = join(dir, "requirements.txt");
  const quiet = ["--disable-pip-version-check", "--no-input", "--no-compile", "--no-warn-script-location"];
  await runTool({ argv: [program, "-m", "pip", "install", ...quiet, "--target", target, "-r", requirements], cwd: dir, env, progress }, signal);
  const tree = await readTree(scratch, (path) => LEFT_OUT.test(path));
  await Promise.all(tree.map((entry) => sameEverywhere(entry)));
  // Sizes have changed.
  return readTree(scratch, (path) => LEFT_OUT.test(path));
}

const SHEBANG = /^#!.*python[\d.]*[^\n]*\n/;

/** Scripts name the Python that installed them by its path, and lists of files the hashes of such scripts: both differ between machines. */
async function sameEverywhere(entry: TreeEntry): Promise<void> {
  if (entry.type !== "file" || typeof entry.source !== "string") return;
  if (entry.path.startsWith(`${PACKAGES}/bin/`)) {
    const text = await readFile(entry.source, "utf8");
    if (SHEBANG.test(text)) await writeFile(entry.source, text.replace(SHEBANG, "#!/usr/bin/env python3\n"));
  } else if (entry.path.endsWith(".dist-info/RECORD")) {
    const lines = (await readFile(entry.source, "utf8"))
      .split("\n")
      .filter((line) => !/^(?:\.\.\/)*bin\//.test(line) && !/direct_url\.json,/.test(line) && !LEFT_OUT.test(line.split(",")[0] ?? ""));
    await writeFile(entry.source, lines.toSorted().join("\n"));
  } else if (entry.path.endsWith(".dist-info/direct_url.json")) await rm(entry.source);
}
