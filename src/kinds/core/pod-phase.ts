// What everybody asks about a pod's phase.
import type { Pod } from "./v1.types.ts";

/** All of its containers ended, and none of them comes back. */
export function hasEnded({ status }: Pick<Pod, "status">): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
