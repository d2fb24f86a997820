// Users of the machine for pods: one a namespace, and programs where they can reach them.
//
//   pod-users.json      namespace → uid
//   runtime/<version>/  the Node binary, when its own place is closed to others
import { accessSync, chmodSync, constants, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface PodUsers {
  /** Whether pods run as users of their own; false: as the platform's. */
  readonly own: boolean;
  /** Undefined where pods run as the platform's user. */
  userOf(namespace: string): { readonly uid: number; readonly gid: number } | undefined;
  /** The Node binary where pods' users can reach it. */
  readonly nodePath: string;
}

export interface PodUsersOptions {
  readonly dataDir: string;
  /** Started as root: every namespace gets its own uid. */
  readonly asRoot: boolean;
  readonly nodePath: string;
}

const FIRST_UID = 200_000;

/** Makes `pods/`, where the folders of pods go. */
export function podUsers({ dataDir, asRoot, nodePath }: PodUsersOptions): PodUsers {
  const podsDir = join(dataDir, "pods");
  mkdirSync(podsDir, { recursive: true, mode: 0o711 });
  chmodSync(podsDir, 0o711);
  // Below a folder that only root may enter (its home, say) other users would reach neither images nor their own folders.
  const own = asRoot && isOpenTo(podsDir);
  const users = own ? namespaceUsers(join(dataDir, "pod-users.json")) : undefined;
  return {
    own,
    nodePath: own ? reachable(nodePath, join(dataDir, "runtime")) : nodePath,
    userOf(namespace) {
      const uid = users?.(namespace);
      return uid === undefined ? undefined : { uid, gid: uid };
    },
  };
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
