// Files that appear whole or not at all, and survive a power cut once they have appeared.
import { randomBytes } from "node:crypto";
import { open, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes to a temporary name, syncs, moves into place, syncs the folder. */
export async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, "wx", 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** A name beside `path` that nobody else uses: two processes may write one file at the same time. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
