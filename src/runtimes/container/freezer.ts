// The kernel's switch that stops a container's processes, where they are this machine's: a daemon takes some ten milliseconds to move it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Freezable {
  /** Of its first process. */
  readonly pid: number;
  readonly dockerId: string;
}

const MACHINE = { proc: "/proc", groups: "/sys/fs/cgroup" };

/** False where it is out of reach: the daemon has to be asked then. A group that does not have the container's name may hold other processes, too. */
export function setFrozen({ pid, dockerId }: Freezable, frozen: boolean, { proc, groups }: typeof MACHINE = MACHINE): boolean {
  try {
    const lines = readFileSync(join(proc, String(pid), "cgroup"), "utf8").split("\n");
    const pathOf = (controller: string): string =>
      lines
        .find((line) => line.split(":")[1] === controller)
        ?.split(":")
        .slice(2)
        .join(":") ?? "";
    const switches = [
      { file: join(groups, "freezer", pathOf("freezer"), "freezer.state"), path: pathOf("freezer"), word: frozen ? "FROZEN" : "THAWED" },
      { file: join(groups, pathOf(""), "cgroup.freeze"), path: pathOf(""), word: frozen ? "1" : "0" },
    ];
    const found = switches.find(({ path, file }) => path.includes(dockerId) && existsSync(file));
    if (found !== undefined) writeFileSync(found.file, found.word);
    return found !== undefined;
  } catch {
    // It has ended, or only the daemon may.
    return false;
  }
}
