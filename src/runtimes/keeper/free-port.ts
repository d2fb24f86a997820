// Whether TCP ports of this machine can be had.
import { BoundSocket } from "node:net";
import { below, type Rng } from "#core";

const TRIES = 500;

/** A moment's truth: somebody else may take it next. */
export function isFree(port: number): boolean {
  try {
    new BoundSocket({ host: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}

/** A port of the range that nobody listens on, chosen by chance. */
export function freePort({ first, count }: { readonly first: number; readonly count: number }, taken: ReadonlySet<number>, rng: Rng): number {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = first + below(rng, count);
    if (!taken.has(port) && isFree(port)) return port;
  }
  throw new Error(`no free port between ${first} and ${first + count}`);
}
