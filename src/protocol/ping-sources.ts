// Control thread ↔ events thread: PingSources, in batches with a generation (decision 50).
import type { EventTarget } from "./events.ts";

/** What becomes of runs that were due while no platform was there. */
export type MissedRuns = "skip" | "once" | "all";

/** A PingSource whose sink is known. */
export interface Ping {
  /** The uid of its object. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Counts what is written of its object. */
  readonly version: number;
  /** Five or six fields, or a name; the zone beside it, "" for UTC. */
  readonly schedule: string;
  readonly timezone: string;
  readonly missed: MissedRuns;
  /** Attributes that the source's own give way to. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly data?: Uint8Array;
  readonly target: EventTarget;
}

export interface PingsDelta {
  readonly type: "pings";
  readonly generation: number;
  /** What is not in it does not exist. */
  readonly reset: boolean;
  readonly put: readonly Ping[];
  readonly removed: readonly string[];
}
