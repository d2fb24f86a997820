// How often a process asks the disk to keep what it wrote, counted by the kernel's own account of its calls.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

const ATTACH_MS = 1_000;

/** Calls of fsync and fdatasync of the process while `work` runs; undefined where strace is not there. */
export async function syncsWhile(pid: number, work: () => Promise<unknown>): Promise<number | undefined> {
  const strace = spawn("strace", ["-f", "-c", "-e", "trace=fsync,fdatasync", "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  let summary = "";
  strace.stderr.setEncoding("utf8").on("data", (text: string) => (summary += text));
  const failed = once(strace, "error").then(() => true);
  const attached = await Promise.race([failed.then(() => false), wait(ATTACH_MS, true)]);
  if (!attached || strace.exitCode !== null) return undefined;
  const ended = once(strace, "close");
  await work();
  strace.kill("SIGINT");
  await ended;
  return [...summary.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*(?:fsync|fdatasync)$/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
