// Folders in memory, shared by the containers of a pod: a mount of our own where we may make one, else a folder of the machine's /dev/shm.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SHARED_MEMORY = "/dev/shm";

/** Answers where it is: `folder` itself, or a folder in shared memory, which has the machine's limit only. Again and again is fine. */
export async function memoryFolder(folder: string, { name, bytesMax }: { readonly name: string; readonly bytesMax: number | undefined }): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o777 });
  if (isMount(folder)) return folder;
  if (process.platform === "linux" && process.getuid?.() === 0) {
    const size = bytesMax === undefined ? [] : [`,size=${bytesMax}`];
    const mounted = await run("mount", ["-t", "tmpfs", "-o", `mode=0777${size.join("")}`, "tmpfs", folder]).catch(() => undefined);
    if (mounted !== undefined) return folder;
  }
  if (!existsSync(SHARED_MEMORY)) return folder;
  const shared = join(SHARED_MEMORY, name);
  mkdirSync(shared, { recursive: true, mode: 0o777 });
  return shared;
}

/** Removes those below `parent`, and those in shared memory whose name begins like this. */
export async function removeMemoryFolders(parent: string, namePrefix: string): Promise<void> {
  for (const entry of names(parent)) if (isMount(join(parent, entry))) await run("umount", ["-l", join(parent, entry)]);
  for (const entry of names(SHARED_MEMORY)) if (entry.startsWith(namePrefix)) rmSync(join(SHARED_MEMORY, entry), { recursive: true, force: true });
}

function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isMount(folder: string): boolean {
  if (!existsSync("/proc/self/mounts")) return false;
  return readFileSync("/proc/self/mounts", "utf8").includes(` ${folder.replaceAll(" ", "\\040")} `);
}
