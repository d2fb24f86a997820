// What containers use whose processes are this machine's.
import type { Clock } from "#core";
import type { RunningIdentity } from "../engine.ts";
import type { ContainerUsage } from "../port.ts";
import { processUsage } from "./process-usage.ts";

/** A row for each that runs; undefined where there is no /proc. */
export function containerUsage(clock: Clock): (running: readonly RunningIdentity[]) => Promise<readonly ContainerUsage[] | undefined> {
  const readTrees = processUsage();
  return async (running) => {
    const roots = running.flatMap(({ container, identity: { pid } }) => (pid === undefined ? [] : [{ container, pid }]));
    const trees = await readTrees(roots.map(({ pid }) => pid));
    const atMs = clock.monotonicMs();
    return trees && roots.flatMap(({ container, pid }) => [trees.get(pid) ?? []].flat().map((tree) => ({ name: container, ...tree, atMs })));
  };
}
