// The folders that claims of storage stand for, each for the users of all pods that know its name.
import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { ClaimFolders } from "#controllers";

export function claimFolders(root: string): ClaimFolders {
  /** What a volume says is what somebody wrote: nothing else of the machine is ever removed. */
  const mustBeOurs = (path: string): void => {
    if (resolve(path) !== path || dirname(path) !== root) throw new Error(`${path} is no folder of a claim: it does not lie right below ${root}`);
  };
  return {
    root,
    async make(path) {
      mustBeOurs(path);
      // Passed by everybody and listed by nobody: a folder's name, which holds a uid, is what one would have to guess.
      await mkdir(root, { recursive: true, mode: 0o711 });
      await chmod(root, 0o711);
      if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o777);
    },
    async remove(path) {
      mustBeOurs(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}
