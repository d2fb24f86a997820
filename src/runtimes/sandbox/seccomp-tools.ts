// Filters of system calls as programs among the tools: one for each set of capabilities, made when the first container wants it.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultFilter } from "./seccomp-filter.ts";
import { filterLoader } from "./seccomp-loader.ts";
import type { FilteredArchitecture } from "./system-calls.ts";

/** Undefined on processors that we have no numbers for. */
export function filteredArchitecture(arch: string = process.arch): FilteredArchitecture | undefined {
  return arch === "x64" ? "amd64" : arch === "arm64" ? "arm64" : undefined;
}

/** Its name in the folder of the tools. */
export function filterTool(toolsFolder: string, architecture: FilteredArchitecture, capabilities: readonly string[]): string {
  const program = filterLoader(architecture, defaultFilter(architecture, capabilities));
  const name = `seccomp-${createHash("sha256").update(program).digest("hex").slice(0, 12)}`;
  const file = join(toolsFolder, name);
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, program, { mode: 0o755 });
    renameSync(`${file}.new`, file);
  }
  return name;
}

export interface SeenTools {
  /** Where new containers have theirs from. */
  readonly toolsFolder: string;
  /** The folder as a running container sees it, by a path of the host. */
  readonly seen: string;
}

/**
 * Its name in the folder that a running container sees, which may be an earlier platform's: then it is made there. Undefined when that folder is none
 * of ours any more.
 */
export function filterToolIn({ toolsFolder, seen }: SeenTools, architecture: FilteredArchitecture, capabilities: readonly string[]): string | undefined {
  const name = filterTool(toolsFolder, architecture, capabilities);
  if (existsSync(join(seen, name))) return name;
  const mounted = statSync(seen, { throwIfNoEntry: false });
  const beside = readdirSync(dirname(toolsFolder)).map((folder) => join(dirname(toolsFolder), folder));
  const its = beside.find((folder) => {
    const { dev, ino } = lstatSync(folder);
    return dev === mounted?.dev && ino === mounted.ino;
  });
  return its === undefined ? undefined : filterTool(its, architecture, capabilities);
}
