// Files that appear whole or not at all, and survive a power cut once they have appeared.
import { randomBytes } from "node:crypto";
import { open, mkdir, rename, rm, rmdir, stat, utimes, type FileHandle } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { absent } from "./image-error.ts";

/** How often a folder may vanish that was just made: collections remove empty ones. */
const FOLDER_TRIES = 5;

/** Writes to a temporary name, syncs, moves into place, syncs the folder. */
export async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await openNew(temporary, FOLDER_TRIES);
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

async function openNew(file: string, tries: number): Promise<FileHandle> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    return await open(file, "wx", 0o644);
  } catch (error) {
    if (tries <= 1) throw error;
    absent(error);
    return openNew(file, tries - 1);
  }
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

/** Removes an empty folder, and lets one be that is not. */
export async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  });
}

/** A collection that was killed in the middle leaves it there. */
const ASIDE_TRIES = 100;

/** Where a file is while it is decided whether it goes. */
const asideOf = (path: string): string => `${path}.gone.tmp`;

/** Somebody counts on the file from now on; false when it is not there. */
export async function touchFile(path: string, nowMs: number): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    const touched = await utimes(path, nowMs / 1000, nowMs / 1000).then(() => true, absent);
    if (touched === true) return true;
    // Moved aside just now: it comes back at once, or is gone.
    if (attempt >= ASIDE_TRIES || (!existsSync(asideOf(path)) && !existsSync(path))) return false;
  }
}

/**
 * Removes a file that was not touched after `beforeMs`; false when it was, or is not there. It is moved aside first and looked at again:
 * who has touched it at the last moment gets it back, who comes later finds that it is gone.
 */
export async function takeOldFile(path: string, beforeMs: number): Promise<boolean> {
  const aside = asideOf(path);
  if ((await rename(path, aside).then(() => true, absent)) !== true) return false;
  const found = await stat(aside).catch(absent);
  if (found !== undefined && found.mtimeMs > beforeMs) {
    await rename(aside, path);
    return false;
  }
  await rm(aside, { force: true });
  return true;
}
