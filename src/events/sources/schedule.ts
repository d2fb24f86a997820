// When a schedule is due. What it may say was judged when it was written; the calendar and time zones are a library's.
import { Cron } from "croner";

export interface Schedule {
  /** Wall-clock milliseconds of the first run after `ms`; undefined: there is none any more. */
  after(ms: number): number | undefined;
  /** The last `max` runs before or at `ms` and after `since`, in order. */
  lastOf(max: number, span: { readonly since: number; readonly ms: number }): readonly number[];
}

const NAMED: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Throws for a text that the library does not take. */
export function readSchedule(text: string, timezone: string): Schedule {
  const pattern = (NAMED[text] ?? text).replaceAll("?", "*");
  const zone = timezone === "" ? "UTC" : timezone;
  const cron = new Cron(pattern, { paused: true, sloppyRanges: true, ...(zone === "Local" ? {} : { timezone: zone }) });
  return {
    after: (ms) => cron.nextRun(new Date(ms))?.getTime(),
    lastOf(max, { since, ms }) {
      // Runs before a moment are asked for: the moment itself counts here.
      const before = cron.previousRuns(max, new Date(ms + 1)).map((run) => run.getTime());
      return before.filter((run) => run > since && run <= ms).sort((a, b) => a - b);
    },
  };
}
