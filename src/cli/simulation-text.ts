// A simulation as tables: what happened beside what would have happened.
import type { Moment, Simulation } from "#autoscaler";
import { table } from "./output.ts";
import { short } from "./scale-text.ts";

/** Rows of the course over time. */
const ROWS_MAX = 24;

const podsOf = ({ ready, panicking }: Moment): string => `${ready}${panicking ? "!" : ""}`;

/** Averages of the load and the largest count of pods over each stretch. */
function course({ seconds, offered, recorded, simulated }: Simulation): string {
  const length = Math.max(1, Math.ceil(seconds / ROWS_MAX));
  const most = (moments: readonly Moment[]): string => podsOf(moments.reduce((a, b) => (b.ready > a.ready || (b.ready === a.ready && b.panicking) ? b : a)));
  const rows: string[][] = [];
  for (let from = 0; from < seconds; from += length) {
    const part = offered.slice(from, from + length);
    const mean = (of: (second: (typeof part)[number]) => number): string =>
      short(Math.round((part.reduce((sum, each) => sum + of(each), 0) / part.length) * 10) / 10);
    const stretch = (moments: readonly Moment[]): string => most(moments.slice(from, from + length));
    rows.push([`${from}s`, mean(({ concurrency }) => concurrency), mean(({ requests }) => requests), stretch(recorded.moments), stretch(simulated.moments)]);
  }
  return table(["TIME", "CONCURRENCY", "REQUESTS/S", "PODS THEN", "PODS SIMULATED"], rows);
}

function totals({ recorded, simulated }: Simulation): string {
  const [then, now] = [recorded.totals, simulated.totals];
  const row = (name: string, of: (totals: typeof then) => number, unit = ""): string[] => [name, `${short(of(then))}${unit}`, `${short(of(now))}${unit}`];
  return table(
    ["", "THEN", "SIMULATED"],
    [
      row("pod-seconds", (t) => t.podSeconds),
      row("most pods", (t) => t.podsMax),
      row("changes of the count", (t) => t.changes),
      row("time at zero", (t) => t.secondsAtZero, "s"),
      row("time in panic", (t) => t.panicSeconds, "s"),
      row("requests that waited", (t) => t.requestsWaited),
    ],
  );
}

export function simulationText(
  simulation: Simulation,
  its: { readonly revision: string; readonly decisions: number; readonly settings: readonly string[] },
): string {
  const changed = its.settings.length === 0 ? "the settings of the recording" : its.settings.join(", ");
  return [
    `${its.revision}: ${simulation.seconds} s with ${simulation.requests} requests; all ${its.decisions} recorded decisions come out the same again.`,
    `Simulated with ${changed}.\n`,
    course(simulation),
    totals(simulation),
    `Model: the requests and their concurrency come as recorded, whatever the settings. A pod takes requests ${short(simulation.podStartMs / 1_000)} s after it is`,
    "wanted and goes at once when it is not; the last one stays for a stable window. Requests wait while there is no pod, and beyond",
    "containerConcurrency × pods. ! is panic.\n",
  ].join("\n");
}
