// How a process is known again: boot id, pid, start time and user, read from /proc (from `ps` where there is none).
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { ProcessIdentity } from "#protocol";

/** State letters of /proc/PID/stat of a process that runs no more. */
const ENDED = /^[ZXx]$/;

/** Undefined when there is no such process, or only its exit status is left. */
export function identify(pid: number): ProcessIdentity | undefined {
  const bootId = readText("/proc/sys/kernel/random/boot_id");
  return bootId === undefined ? identifyByPs(pid) : identifyByProc(pid, bootId.trim());
}

function identifyByProc(pid: number, bootId: string): ProcessIdentity | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything, also blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[19];
  if (startTime === undefined || (ENDED.test(fields[0] ?? "") && !hasThreads(pid))) return undefined;
  try {
    return { bootId, pid, startTime, uid: statSync(`/proc/${pid}`).uid };
  } catch {
    return undefined;
  }
}

/** A first thread that has ended does not end the others: one that waits for the disk may still write. */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** For systems without /proc; a start time from before a reboot differs, so the boot id is not needed. */
export function identifyByPs(pid: number): ProcessIdentity | undefined {
  try {
    const line = execFileSync("ps", ["-o", "uid=,stat=,lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const [, uid = "", state = "", startTime = ""] = /^(\d+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
    return startTime === "" || state.startsWith("Z") ? undefined : { bootId: "", pid, startTime, uid: Number(uid) };
  } catch {
    return undefined;
  }
}

/** Whether the process that `identity` names is still there; a reused pid is another process. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.bootId === identity.bootId && now.startTime === identity.startTime;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
