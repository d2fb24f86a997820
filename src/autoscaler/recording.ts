// What a revision's scaler was told and what it decided, in a form that can be stored and replayed.
import type { Evaluation, ScalerInput, ScalerState } from "./revision-scaler.ts";

export const RECORDING_FORMAT = 1;

/** A decision as it was made: what a replay must come to, number by number. */
export interface RecordedDecision {
  readonly outcome: "decided" | "no data" | "ready pods unknown" | "gateways silent";
  readonly desired: number;
  readonly excessBurstCapacity: number;
  readonly panicking: boolean;
  /** Absent without data. */
  readonly stable?: number;
  readonly panic?: number;
  readonly heldAt?: number;
}

export interface RecordedEvent {
  /** Monotonic milliseconds of the process that decided. */
  readonly atMs: number;
  readonly input: ScalerInput;
  /** Absent when the input led to no evaluation. */
  readonly decision?: RecordedDecision;
}

/** A stretch of events, and the scaler before the first of them. */
export interface Take {
  readonly sinceMs: number;
  readonly from: ScalerState;
  readonly events: readonly RecordedEvent[];
}

/** Takes follow one another without a gap; between two of them the revision may have been at rest. */
export interface Recording {
  readonly format: typeof RECORDING_FORMAT;
  /** `namespace/revision`. */
  readonly revision: string;
  readonly takes: readonly Take[];
}

export function decisionOf(evaluation: Evaluation): RecordedDecision {
  const { desired, excessBurstCapacity, panicking, values, heldAt, outcome } = evaluation;
  return {
    outcome: typeof outcome === "string" ? outcome : "decided",
    desired,
    excessBurstCapacity,
    panicking,
    ...(values === undefined ? {} : { stable: values.stable, panic: values.panic }),
    ...(heldAt === undefined ? {} : { heldAt }),
  };
}
