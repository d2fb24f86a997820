// Which run of a PingSource is next. Pure.
//
// what is remembered        missed   next run
// nothing, or of another    –        the first one from now on
// schedule
// done up to D              skip     the first one from now on; one that was begun and not finished is left out, too
//                           once     the last one between D and now, if any, else the first one from now on
//                           all      the first one of the last MISSED_MAX between D and now, else the first one from now on
import type { MissedRuns } from "#protocol";
import type { Schedule } from "./schedule.ts";

/** Wall-clock milliseconds of runs. */
export interface RunMark {
  /** The schedule and zone that it is of. */
  readonly schedule: string;
  /** The last run whose event was about to be sent; it may have arrived. */
  readonly begun: number;
  /** The last run that is over. */
  readonly done: number;
}

/** Runs that are made up for, at most: the oldest of more are left out. */
export const MISSED_MAX = 100;

/** When the platform starts, or the source is new; undefined: never. */
export function firstRun(
  schedule: Schedule,
  its: { readonly mark: RunMark | undefined; readonly text: string; readonly missed: MissedRuns },
  nowMs: number,
): number | undefined {
  const { mark, text, missed } = its;
  if (mark === undefined || mark.schedule !== text) return schedule.after(nowMs);
  const late = missed === "skip" ? [] : schedule.lastOf(missed === "once" ? 1 : MISSED_MAX, { since: mark.done, ms: nowMs });
  // A clock that was set back does not bring runs again.
  return late[0] ?? schedule.after(Math.max(nowMs, mark.begun, mark.done));
}

/** After a run: those that came due meanwhile are made up for, since the platform was there. */
export function nextRun(schedule: Schedule, doneMs: number, nowMs: number): number | undefined {
  const next = schedule.after(doneMs);
  if (next === undefined || next > nowMs) return next;
  return schedule.lastOf(MISSED_MAX, { since: doneMs, ms: nowMs })[0] ?? next;
}
