// Output of pods on this machine: files that outlive their pod until there is too much of them.
//
//   logs/<pod uid>/<container>/<n>.log       output of the n-th start, and `<n>.log.times`
import { mkdirSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface LogFolders {
  readonly logsDir: string;
  /** Makes the folder, which no pod can enter. */
  outputFile(podUid: string, container: string, restarts: number): string;
  /** Deletes the oldest output of pods that are not in `kept`. */
  prune(kept: ReadonlySet<string>): Promise<void>;
}

const LOGS = { podsMax: 200, bytesMax: 256 << 20 } as const;

export function logFolders(dataDir: string): LogFolders {
  const logsDir = join(dataDir, "logs");
  mkdirSync(logsDir, { recursive: true, mode: 0o700 });
  return {
    logsDir,
    outputFile(podUid, container, restarts) {
      const folder = join(logsDir, podUid, container);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return join(folder, `${restarts}.log`);
    },
    prune: (kept) => pruneLogs(logsDir, kept),
  };
}

async function pruneLogs(logsDir: string, kept: ReadonlySet<string>): Promise<void> {
  const gone = (await readdir(logsDir)).filter((uid) => !kept.has(uid));
  const sizes = await Promise.all(gone.map(async (uid) => ({ uid, ...(await sizeOf(join(logsDir, uid))) })));
  let bytes = 0;
  for (const [index, { uid, size }] of sizes.toSorted((a, b) => b.changedMs - a.changedMs).entries()) {
    bytes += size;
    if (index >= LOGS.podsMax || bytes > LOGS.bytesMax) await rm(join(logsDir, uid), { recursive: true, force: true });
  }
}

async function sizeOf(folder: string): Promise<{ readonly size: number; readonly changedMs: number }> {
  let size = 0;
  let changedMs = 0;
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const file = await stat(join(folder, name)).catch(() => undefined);
    size += file?.size ?? 0;
    changedMs = Math.max(changedMs, file?.mtimeMs ?? 0);
  }
  return { size, changedMs };
}
