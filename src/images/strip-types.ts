// TypeScript becomes JavaScript at build time: loading Node's type stripper would cost each cold start several milliseconds.
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { ImageError } from "./image-error.ts";
import { sorted, type TreeEntry } from "./source-tree.ts";

const SOURCE = /(?<!\.d)\.([cm]?)ts$/;
const SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])(\.{1,2}\/[^"'\n]+?)\.([cm]?)ts\2/g;

/** `server.ts` → `server.js`, `.mts` → `.mjs`, `.cts` → `.cjs`; other names stay. */
export function scriptName(path: string): string {
  return path.replace(SOURCE, ".$1js");
}

/** The app's own sources as scripts, relative imports of them renamed; dependencies and declarations stay as they are. */
export async function stripTypes(entries: readonly TreeEntry[]): Promise<TreeEntry[]> {
  const taken = new Set(entries.map((entry) => entry.path));
  const stripped = entries.map(async (entry): Promise<TreeEntry> => {
    if (entry.type !== "file" || !SOURCE.test(entry.path) || /(?:^|\/)node_modules\//.test(entry.path)) return entry;
    const path = scriptName(entry.path);
    if (taken.has(path)) throw new ImageError("BuildFailed", `${entry.path} would become ${path}, which is there already: remove one of the two`);
    const text = typeof entry.source === "string" ? await readFile(entry.source, "utf8") : Buffer.from(entry.source).toString("utf8");
    const source = Buffer.from(strip(entry.path, text).replace(SPECIFIER, "$1$2$3.$4js$2"));
    return { ...entry, path, size: source.length, source };
  });
  return sorted(await Promise.all(stripped));
}

function strip(path: string, text: string): string {
  try {
    return stripTypeScriptTypes(text);
  } catch (error) {
    throw new ImageError(
      "BuildFailed",
      `${path}: ${(error as Error).message} (only syntax that can be erased is supported: no enums, no parameter properties)`,
      error,
    );
  }
}
