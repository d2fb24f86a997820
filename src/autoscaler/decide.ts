// The decider: from window values to a number of pods, with panic mode and the excess burst capacity (serving.md 3.5). Pure.
import type { DeciderSettings } from "./settings.ts";
import type { WindowValues } from "./revision-windows.ts";

/** Time between two periodic evaluations; also the granularity of the scale-down delay. */
export const TICK_MS = 2_000;

/** What a PodAutoscaler sees of its decider. */
export interface DeciderStatus {
  /** -1: unknown. */
  readonly desired: number;
  /** Below 0 the activator must stay in the path. */
  readonly excessBurstCapacity: number;
}

/** Sliding maximum of the decisions over the scale-down delay: bucket number and its maximum, falling. */
interface DelayWindow {
  readonly buckets: number;
  readonly maxima: readonly (readonly [bucket: number, desired: number])[];
}

/** All that a decider remembers: a plain value. */
export interface DeciderState {
  readonly status: DeciderStatus;
  /** Undefined: not panicking. */
  readonly panicSinceMs: number | undefined;
  readonly maxPanicPods: number;
  /** Undefined: no scale-down delay when the decider was created. */
  readonly delay: DelayWindow | undefined;
}

export interface DeciderInputs {
  readonly settings: DeciderSettings;
  /** Ready pods; undefined: the count failed. */
  readonly ready: number | undefined;
  /** Undefined: no data. */
  readonly values: WindowValues | undefined;
}

/** How a decision came about: every number on the way. */
export interface Explanation {
  readonly demandStable: number;
  readonly demandPanic: number;
  readonly lowest: number;
  readonly highest: number;
  readonly stable: number;
  readonly panic: number;
  readonly panicking: boolean;
  readonly beforeDelay: number;
}

/** `valid: false`: no decision, the state's status keeps its values. `changed`: the PodAutoscaler wants to know. */
export type Decided =
  | { readonly valid: true; readonly state: DeciderState; readonly changed: boolean; readonly explain: Explanation }
  | { readonly valid: false; readonly state: DeciderState; readonly changed: false; readonly explain: "ready pods unknown" | "no data" };

/** The state at creation. With more than one ready pod (a restart) it begins in panic, so nothing shrinks for a stable window. */
export function newDecider(settings: DeciderSettings, ready: number | undefined, nowMs: number): DeciderState {
  const { targetBurstCapacity: tbc, initialScale, totalValue, scaleDownDelayMs } = settings;
  const pods = ready ?? 0;
  return {
    status: { desired: -1, excessBurstCapacity: tbc === 0 || tbc === -1 ? tbc : Math.trunc(initialScale * totalValue - tbc) },
    panicSinceMs: pods > 1 ? nowMs : undefined,
    maxPanicPods: pods,
    delay: scaleDownDelayMs > 0 ? { buckets: Math.ceil(scaleDownDelayMs / TICK_MS), maxima: [] } : undefined,
  };
}

function excessBurstCapacityOf(settings: DeciderSettings, ready: number, panicValue: number): number {
  const { targetBurstCapacity: tbc, totalValue } = settings;
  return tbc === 0 || tbc === -1 ? tbc : Math.floor(ready * totalValue - tbc - panicValue);
}

function recordDelay(delay: DelayWindow, desired: number, nowMs: number): DelayWindow {
  const bucket = Math.floor(nowMs / TICK_MS);
  const larger = delay.maxima.filter(([at, value]) => at > bucket - delay.buckets && value > desired);
  return { ...delay, maxima: [...larger, [bucket, desired]] };
}

/** True when a PodAutoscaler must look again: another count, or the activator's place in the path changes. */
export function isNews(before: DeciderStatus, after: DeciderStatus): boolean {
  return after.desired !== before.desired || after.excessBurstCapacity >= 0 !== before.excessBurstCapacity >= 0;
}

/** One evaluation. */
export function decide(state: DeciderState, inputs: DeciderInputs, nowMs: number): Decided {
  const { settings, ready, values } = inputs;
  if (ready === undefined) return { valid: false, state, changed: false, explain: "ready pods unknown" };
  if (values === undefined) return { valid: false, state, changed: false, explain: "no data" };
  const pods = Math.max(1, ready);
  const highest = Math.ceil(settings.maxScaleUpRate * pods);
  const lowest = settings.reachable ? Math.floor(pods / settings.maxScaleDownRate) : 0;
  const demandStable = Math.ceil(values.stable / settings.targetValue);
  const demandPanic = Math.ceil(values.panic / settings.targetValue);
  const bounded = (demand: number): number => {
    const count = Math.min(Math.max(demand, lowest), highest);
    return settings.activationScale > 1 && demand > 0 ? Math.max(count, settings.activationScale) : count;
  };
  const stable = bounded(demandStable);
  const panic = bounded(demandPanic);

  let { panicSinceMs, maxPanicPods, delay } = state;
  if (demandPanic / pods >= settings.panicThreshold) panicSinceMs = nowMs;
  else if (panicSinceMs !== undefined && panicSinceMs + settings.stableWindowMs < nowMs) {
    panicSinceMs = undefined;
    maxPanicPods = 0;
  }
  let desired = stable;
  if (panicSinceMs !== undefined) {
    maxPanicPods = Math.max(maxPanicPods, stable, panic);
    desired = maxPanicPods;
  }
  const beforeDelay = desired;
  if (settings.reachable && delay !== undefined) {
    delay = recordDelay(delay, desired, nowMs);
    desired = delay.maxima[0]?.[1] ?? desired;
  }
  const status = { desired, excessBurstCapacity: excessBurstCapacityOf(settings, ready, values.panic) };
  return {
    valid: true,
    state: { status, panicSinceMs, maxPanicPods, delay },
    changed: isNews(state.status, status),
    explain: { demandStable, demandPanic, lowest, highest, stable, panic, panicking: panicSinceMs !== undefined, beforeDelay },
  };
}
