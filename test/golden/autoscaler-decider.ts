// Adapter of the recorded decider-*.json: replays statistics into the windows and compares every evaluation.
import { decide, newDecider, RevisionWindows, type DeciderState, type RevisionSettings, type WindowValues } from "#autoscaler";
import { compared, type Checked } from "./autoscaler-compare.ts";
import { plainSettings, recordedSettings, settingsOf, type RecordedPa, type RecordedSettings } from "./autoscaler-resolve.ts";

type Statistic = readonly [t: number, sender: number, concurrent: number, proxiedConcurrent: number, requests: number, proxiedRequests: number];

interface Tick {
  readonly t: number;
  readonly ready: number;
  readonly readyError?: "error" | "notFound";
  readonly update?: RecordedPa & RecordedSettings;
  readonly stats?: readonly Statistic[];
  readonly out: readonly number[];
  readonly obs: readonly [stable: number, panic: number] | null;
}

interface Trace extends RecordedSettings {
  readonly name: string;
  readonly pa: RecordedPa;
  readonly config: Readonly<Record<string, string>>;
  readonly startUnixMs: number;
  readonly initial: {
    readonly desired: number;
    readonly excessBurstCapacity: number;
    readonly panic: boolean;
    readonly maxPanicPods: number;
    readonly ready: number;
    readonly readyError?: string;
  };
  readonly ticks: readonly Tick[];
}

const WEIGHTED_TOLERANCE = 1e-9;

function near(want: number, got: number): boolean {
  return Math.abs(want - got) <= WEIGHTED_TOLERANCE * Math.max(Math.abs(want), Math.abs(got));
}

function sameValues(want: Tick["obs"], got: WindowValues | undefined, exact: boolean): boolean {
  if (want === null || got === undefined) return want === null && got === undefined;
  return exact ? want[0] === got.stable && want[1] === got.panic : near(want[0], got.stable) && near(want[1], got.panic);
}

/** One evaluation in the recorded form, with the state after it. */
function evaluate(
  before: DeciderState,
  settings: RevisionSettings,
  at: { readonly ready: number | undefined; readonly values: WindowValues | undefined; readonly nowMs: number },
) {
  const decided = decide(before, { settings: settings.decider, ready: at.ready, values: at.values }, at.nowMs);
  const { state } = decided;
  const counts = decided.valid ? [state.status.desired, state.status.excessBurstCapacity, 1] : [0, 0, 0];
  return { state, out: [...counts, Number(state.panicSinceMs !== undefined), state.maxPanicPods, Number(decided.changed)] };
}

export function* checkDecider(trace: Trace): Iterable<Checked> {
  const { name, startUnixMs, initial } = trace;
  let settings = settingsOf(trace.pa, trace.config);
  yield compared(`${name} settings`, plainSettings(trace), recordedSettings(settings));
  const windows = new RevisionWindows(settings.metric);
  let state = newDecider(settings.decider, initial.readyError === "error" ? undefined : initial.ready, startUnixMs);
  const wantInitial = [initial.desired, initial.excessBurstCapacity, initial.panic, initial.maxPanicPods];
  yield compared(`${name} initial`, wantInitial, [
    state.status.desired,
    state.status.excessBurstCapacity,
    state.panicSinceMs !== undefined,
    state.maxPanicPods,
  ]);
  for (const tick of trace.ticks) {
    if (tick.update !== undefined) {
      settings = settingsOf(tick.update, trace.config);
      windows.update(settings.metric);
    }
    for (const [t, , concurrent, proxied, requests, proxiedRequests] of tick.stats ?? []) {
      windows.record(startUnixMs + t, concurrent - proxied, requests - proxiedRequests);
    }
    const nowMs = startUnixMs + tick.t;
    const values = windows.values(settings.decider.scalingMetric, nowMs);
    const evaluated = evaluate(state, settings, { ready: tick.readyError === "error" ? undefined : tick.ready, values, nowMs });
    state = evaluated.state;
    const at = `${name} t=${tick.t}`;
    yield compared(`${at} out`, tick.out, evaluated.out);
    const ok = sameValues(tick.obs, values, settings.metric.algorithm === "linear");
    yield ok ? { name: `${at} obs`, ok } : { name: `${at} obs`, ok, difference: `want ${JSON.stringify(tick.obs)}\n got ${JSON.stringify(values)}` };
  }
}
