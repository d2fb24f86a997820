// Filters of system calls as programs among the tools: one for each set of capabilities, made when the first container wants it.
import { createHash } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
