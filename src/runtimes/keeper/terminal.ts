// Pseudo terminals for commands: `script` of util-linux makes them, `stty` gives them their size.
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "#core";
import type { ProcessSpec } from "#protocol";
import type { TerminalSize } from "../port.ts";

const run = promisify(execFile);

/** The terminal of a command that has just started is looked for this often. */
const FIND_TRIES = 50;
const FIND_EVERY_MS = 20;

export function programOn(path: string, name: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The command on a terminal of its own. `script` is the program; it hands on the exit code and, at the end of the input, an end of file. */
export function onTerminal(spec: ProcessSpec, script: string): ProcessSpec {
  const words = spec.argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return {
    ...spec,
    argv: [script, "--quiet", "--return", "--flush", "--command", `exec ${words}`, "/dev/null"],
    env: { TERM: "xterm", ...spec.env, SHELL: "/bin/sh" },
  };
}

/** Sets the size of the terminal that the process `pid`, a `script`, has made; without effect once it has ended. */
export function terminalOf(pid: number, clock: Clock): { resize(size: TerminalSize): void; leader(): Promise<number | undefined>; close(): void } {
  const over = new AbortController();
  const found = findLeader(pid, clock, over.signal);
  let last: Promise<unknown> = Promise.resolve();
  let wanted: TerminalSize | undefined;
  const apply = async (): Promise<void> => {
    const size = wanted;
    const leader = await found;
    if (size === undefined || leader === undefined || over.signal.aborted) return;
    wanted = undefined;
    const device = await readlink(`/proc/${leader}/fd/0`);
    await run("stty", ["-F", device, "rows", String(size.height), "cols", String(size.width)]);
  };
  return {
    // One after the other; of those that wait the last one counts.
    resize(size) {
      wanted = size;
      last = last.then(apply).catch(() => undefined);
    },
    leader: () => found,
    close: () => over.abort(),
  };
}

/** The one child of `script`, which leads the terminal's session. */
async function findLeader(pid: number, clock: Clock, signal: AbortSignal): Promise<number | undefined> {
  for (let attempt = 0; attempt < FIND_TRIES && !signal.aborted; attempt++) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => undefined);
    const child = Number(children?.trim().split(" ")[0]);
    if (child > 0 && (await readlink(`/proc/${child}/fd/0`).catch(() => "")).startsWith("/dev/pts/")) return child;
    await clock.sleep(FIND_EVERY_MS, signal).catch(() => undefined);
  }
  return undefined;
}
