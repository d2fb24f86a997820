// Folders and ports of process pods on this machine.
//
//   pods/<pod uid>/<container>/stdin         a FIFO, for a container that asks for input
//   pods/<pod uid>/<container>/{home,tmp}    gone with the pod; only its user can enter, and only we replace the folders above
import { lchownSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Rng } from "#core";
import type { PodUsers } from "../keeper/pod-users.ts";
import { freePort } from "../keeper/free-port.ts";

export interface ProcessFolders {
  /** `home` and `tmp` of a container, made when they are not there. */
  prepare(
    pod: { readonly uid: string; readonly namespace: string },
    container: string,
  ): { readonly home: string; readonly tmp: string; readonly user?: { readonly uid: number; readonly gid: number } };
  inputFifo(podUid: string, container: string): string;
  remove(podUid: string): Promise<void>;
  /** A port that nobody listens on, outside the system's ephemeral range. */
  freePort(taken: ReadonlySet<number>): number;
}

export interface ProcessFoldersOptions {
  readonly dataDir: string;
  readonly users: PodUsers;
  readonly rng: Rng;
}

const PORTS = { first: 20_000, count: 12_000 } as const;

export function processFolders({ dataDir, users, rng }: ProcessFoldersOptions): ProcessFolders {
  const podsDir = join(dataDir, "pods");
  return {
    prepare(pod, container) {
      const user = users.userOf(pod.namespace);
      const folder = join(podsDir, pod.uid, container);
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      const home = join(folder, "home");
      const tmp = join(folder, "tmp");
      for (const own of [home, tmp]) {
        mkdirSync(own, { recursive: true, mode: 0o700 });
        // A pod may put nothing in the place of these two: the folder above is not its own. A link would not be followed either.
        if (user !== undefined) lchownSync(own, user.uid, user.gid);
      }
      return { home, tmp, ...(user === undefined ? {} : { user }) };
    },
    inputFifo: (podUid, container) => join(podsDir, podUid, container, "stdin"),
    remove: (podUid) => rm(join(podsDir, podUid), { recursive: true, force: true }),
    freePort: (taken) => freePort(PORTS, taken, rng),
  };
}
