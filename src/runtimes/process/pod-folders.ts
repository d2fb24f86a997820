// Folders, users and ports of pods on this machine.
//
//   pods/<pod uid>/<container>/stdin         a FIFO, for a container that asks for input
//   pods/<pod uid>/<container>/{home,tmp}    gone with the pod; only its user can enter, and only we replace the folders above
//   logs/<pod uid>/<container>/<n>.log       output of the n-th start; kept for a while after the pod
//   logs/<pod uid>/<container>/probe.log     output of its probes' commands
//   fifos/                                   of commands that are just starting
//   pod-users.json                           namespace → uid
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { below, type Rng } from "#core";
import { isFree } from "./free-port.ts";

export interface PodFolders {
  /** `home` and `tmp` of a container, made when they are not there. */
  prepare(
    pod: { readonly uid: string; readonly namespace: string },
    container: string,
  ): { readonly home: string; readonly tmp: string; readonly user?: { readonly uid: number; readonly gid: number } };
  outputFile(podUid: string, container: string, start: number): string;
  inputFifo(podUid: string, container: string): string;
  /** Where the output of probes' commands goes: the keeper writes it, so it lies where no pod can put a link. */
  probeFile(podUid: string, container: string): string;
  /** Removes the folders; the output stays until there is too much of it. */
  remove(podUid: string): Promise<void>;
  /** Deletes the oldest output of pods that are not in `kept`. */
  pruneLogs(kept: ReadonlySet<string>): Promise<void>;
  readonly logsDir: string;
  readonly fifosDir: string;
  /** A port that nobody listens on, outside the system's ephemeral range. */
  freePort(taken: ReadonlySet<number>): number;
  /** Whether pods run as users of their own; false: as the platform's. */
  readonly ownUsers: boolean;
  /** The Node binary where pods' users can reach it. */
  readonly nodePath: string;
}

export interface PodFoldersOptions {
  readonly dataDir: string;
  readonly asRoot: boolean;
  readonly nodePath: string;
  readonly rng: Rng;
}

const FIRST_UID = 200_000;
const PORTS = { first: 20_000, count: 12_000 } as const;
const PORT_TRIES = 500;
const LOGS = { podsMax: 200, bytesMax: 256 << 20 } as const;

export function podFolders({ dataDir, asRoot, nodePath, rng }: PodFoldersOptions): PodFolders {
  const podsDir = join(dataDir, "pods");
  const logsDir = join(dataDir, "logs");
  mkdirSync(podsDir, { recursive: true, mode: 0o711 });
  chmodSync(podsDir, 0o711);
  mkdirSync(logsDir, { recursive: true, mode: 0o700 });
  const fifosDir = join(dataDir, "fifos");
  // What is there is of commands that an earlier platform was about to start.
  rmSync(fifosDir, { recursive: true, force: true });
  mkdirSync(fifosDir, { mode: 0o700 });
  // Below a folder that only root may enter (its home, say) other users would reach neither images nor their own folders.
  const ownUsers = asRoot && isOpenTo(podsDir);
  const users = ownUsers ? namespaceUsers(join(dataDir, "pod-users.json")) : undefined;
  return {
    logsDir,
    fifosDir,
    ownUsers,
    nodePath: ownUsers ? reachable(nodePath, join(dataDir, "runtime")) : nodePath,
    prepare(pod, container) {
      const uid = users?.(pod.namespace);
      const folder = join(podsDir, pod.uid, container);
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      const home = join(folder, "home");
      const tmp = join(folder, "tmp");
      for (const own of [home, tmp]) {
        mkdirSync(own, { recursive: true, mode: 0o700 });
        // A pod may put nothing in the place of these two: the folder above is not its own. A link would not be followed either.
        if (uid !== undefined) lchownSync(own, uid, uid);
      }
      return { home, tmp, ...(uid === undefined ? {} : { user: { uid, gid: uid } }) };
    },
    outputFile: (podUid, container, start) => inLogs(logsDir, [podUid, container], `${start}.log`),
    inputFifo: (podUid, container) => join(podsDir, podUid, container, "stdin"),
    probeFile: (podUid, container) => inLogs(logsDir, [podUid, container], "probe.log"),
    remove: (podUid) => rm(join(podsDir, podUid), { recursive: true, force: true }),
    pruneLogs: (kept) => pruneLogs(logsDir, kept),
    freePort(taken) {
      for (let attempt = 0; attempt < PORT_TRIES; attempt++) {
        const port = PORTS.first + below(rng, PORTS.count);
        if (!taken.has(port) && isFree(port)) return port;
      }
      throw new Error(`no free port between ${PORTS.first} and ${PORTS.first + PORTS.count}`);
    },
  };
}

function inLogs(logsDir: string, names: readonly string[], file: string): string {
  const folder = join(logsDir, ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, file);
}

/** A user for each namespace, the same after a restart. */
function namespaceUsers(file: string): (namespace: string) => number {
  const known: Record<string, number> = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, number>) : {};
  return (namespace) => {
    const found = known[namespace];
    if (found !== undefined) return found;
    const uid = Math.max(FIRST_UID - 1, ...Object.values(known)) + 1;
    known[namespace] = uid;
    writeFileSync(`${file}.new`, JSON.stringify(known), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
    return uid;
  };
}

/** The binary itself when every folder above it may be entered by all, else a link or copy below the data folder. */
function reachable(program: string, folder: string): string {
  if (isOpenTo(program)) return program;
  // Named like the original, so that its folder can stand on a PATH.
  const copy = join(folder, process.version, basename(program));
  if (existsSync(copy)) return copy;
  mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
  for (const each of [folder, dirname(copy)]) chmodSync(each, 0o755);
  try {
    linkSync(program, copy);
  } catch {
    copyFileSync(program, `${copy}.new`);
    chmodSync(`${copy}.new`, 0o755);
    renameSync(`${copy}.new`, copy);
  }
  return copy;
}

function isOpenTo(path: string): boolean {
  accessSync(path, constants.X_OK);
  for (let at = path; at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o001) === 0) return false;
  return true;
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
