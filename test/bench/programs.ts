// Programs of this machine that benches use.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian keeps nginx and haproxy where only root's PATH looks. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Throws at once when one is missing. */
export function requirePrograms(names: readonly string[]): void {
  const missing = names.filter((name) => programPath(name) === undefined);
  if (missing.length > 0) throw new Error(`this bench needs ${missing.join(" and ")}: apt-get install ${missing.join(" ")}`);
}
