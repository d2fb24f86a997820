// Processes below another, as /proc tells.
import { readdirSync, readFileSync } from "node:fs";

/** The first child of a process: what `unshare --fork` has become. */
export function firstChild(pid: number): number | undefined {
  return childrenOf(pid)[0];
}

/** All below `pid`, itself not included. */
export function below(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...below(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .split(" ")
        .filter((word) => word.trim() !== "")
        .map(Number),
    );
  } catch {
    return [];
  }
}
