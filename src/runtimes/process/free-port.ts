// Whether TCP ports of this machine can be had.
import { BoundSocket } from "node:net";

/** A moment's truth: somebody else may take it next. */
export function isFree(port: number): boolean {
  try {
    new BoundSocket({ host: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}
