// How the keeper's exits are told to the pod machinery. Pure.
import { constants } from "node:os";
import type { ProcessExit, ProcessIdentity } from "#protocol";
import type { EngineExit } from "../engine.ts";

/** 137 for an end that nobody saw; 128 and the number for one by a signal. */
export function exitCodeOf(exit: ProcessExit | null): number {
  return exit === null ? 137 : (exit.code ?? 128 + (constants.signals[exit.signal as NodeJS.Signals] ?? 0));
}

export function engineExit(exit: ProcessExit | null): EngineExit | null {
  return exit === null ? null : { exitCode: exitCodeOf(exit), oomKilled: false, atWallMs: exit.atWallMs };
}

export function containerId(scheme: string, identity: ProcessIdentity): string {
  return `${scheme}://${identity.pid}-${identity.startTime}`;
}
