// Removing what overlayfs and containers have left in folders that may be closed even to their owner.
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Root needs no leave; everybody else opens each folder first, such as the one that overlayfs works in. */
export function removeFolder(folder: string): void {
  if (process.getuid?.() !== 0) openUp(folder);
  rmSync(folder, { recursive: true, force: true });
}

function openUp(folder: string): void {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return;
  if ((stat.mode & 0o700) !== 0o700) chmodSync(folder, 0o700);
  for (const name of readdirSync(folder)) openUp(join(folder, name));
}
