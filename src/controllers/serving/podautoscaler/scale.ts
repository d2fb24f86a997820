// The scale step: bounds, and the procedure by which a revision goes to zero (serving.md 3.6). Pure.
import type { Condition } from "#schema";

/** A probe that is repeated until the activator answers. */
export interface ProbeRetry {
  readonly target: string;
  readonly periodMs: number;
  readonly timeoutMs: number;
}

/** Everything that the scale depends on. */
export interface ScaleInputs {
  /** The decider's count; -1: unknown. */
  readonly desired: number;
  readonly active: Condition["status"];
  /** Since the last change of the condition Active. */
  readonly activeForMs: number;
  readonly initialized: boolean;
  readonly reachable: boolean;
  /** `max` 0: none. */
  readonly bounds: { readonly min: number; readonly max: number };
  readonly initialScale: number;
  readonly enableScaleToZero: boolean;
  readonly stableWindowMs: number;
  readonly progressDeadlineMs: number;
  readonly gracePeriodMs: number;
  readonly podRetentionMs: number;
  readonly targetBurstCapacity: number;
  readonly mode: "Serve" | "Proxy";
  /** How long the activator has been in the path; 0 when it is not. */
  readonly proxyForMs: number;
  readonly probeTarget: string;
  /** Whether the activator answers at `probeTarget`. */
  readonly activatorAnswers: boolean;
  /** Replicas of the Deployment; null: unset, undefined: there is no Deployment. */
  readonly replicas: number | null | undefined;
}

/** What the step comes to. */
export interface Scaled {
  /** -1: unknown. */
  readonly want: number;
  /** Replicas to write, when they differ. */
  readonly patch?: number;
  /** Due again after this time. */
  readonly requeueMs?: number;
  /** The activator's answer was taken into account. */
  readonly probed: boolean;
  readonly retry?: ProbeRetry;
  readonly deploymentMissing: boolean;
}

/** Result of the procedure for a count of 0. */
interface ToZero {
  readonly want: number;
  readonly apply: boolean;
  readonly requeueMs?: number;
  readonly retry?: ProbeRetry;
}

/** Time beyond the progress deadline that an activation may take. */
const ACTIVATION_SLACK_MS = 30_000;
/** Behind the activator already: time for the new status to take hold. */
const PROXY_SETTLE_MS = 3_000;
const PROBE_PERIOD_MS = 1_000;
const PROBE_TIMEOUT_MS = 45_000;
const UNKNOWN = -1;

/** Behind the activator for good there is nothing to ask. */
function needsProbe(of: ScaleInputs): boolean {
  return of.active === "False" && of.targetBurstCapacity !== -1;
}

function boundedDesired(of: ScaleInputs): number {
  const raised = of.initialScale > 1 && !of.initialized && of.reachable;
  const min = raised ? Math.max(of.bounds.min, of.initialScale) : of.bounds.min;
  const atLeast = Math.max(of.desired, min);
  return of.bounds.max > 0 ? Math.min(atLeast, of.bounds.max) : atLeast;
}

function whileActivating(of: ScaleInputs): ToZero {
  const timeoutMs = of.progressDeadlineMs + ACTIVATION_SLACK_MS;
  return of.activeForMs > timeoutMs ? { want: 0, apply: true } : { want: UNKNOWN, apply: false, requeueMs: timeoutMs };
}

function whileActive(of: ScaleInputs): ToZero {
  const restMs = of.stableWindowMs - of.activeForMs;
  if (restMs > 0) return { want: 1, apply: true, requeueMs: restMs };
  return { want: 0, apply: false, ...(of.mode === "Proxy" ? { requeueMs: PROXY_SETTLE_MS } : {}) };
}

function whileInactive(of: ScaleInputs): ToZero {
  if (needsProbe(of) && !of.activatorAnswers) {
    return { want: 0, apply: false, retry: { target: of.probeTarget, periodMs: PROBE_PERIOD_MS, timeoutMs: PROBE_TIMEOUT_MS } };
  }
  const inactiveMs = of.activeForMs;
  if (inactiveMs >= Math.max(of.gracePeriodMs, of.podRetentionMs)) return { want: 0, apply: true };
  if (inactiveMs < of.podRetentionMs) return { want: 0, apply: false, requeueMs: of.podRetentionMs - inactiveMs };
  const restMs = of.gracePeriodMs - of.proxyForMs;
  return restMs <= 0 ? { want: 0, apply: true } : { want: 0, apply: false, requeueMs: restMs };
}

/** The procedure for a count of 0, by the condition Active. */
function toZero(of: ScaleInputs): ToZero {
  if (!of.enableScaleToZero) return { want: 1, apply: true };
  if (of.active === "Unknown") return whileActivating(of);
  return of.active === "True" ? whileActive(of) : whileInactive(of);
}

/** One scale step. */
export function planScale(of: ScaleInputs): Scaled {
  if (of.desired < 0 && of.active !== "Unknown") return { want: UNKNOWN, probed: false, deploymentMissing: false };
  const bounded = boundedDesired(of);
  const { want, apply, ...rest } = bounded === 0 ? toZero(of) : { want: bounded, apply: true };
  const probed = bounded === 0 && of.enableScaleToZero && needsProbe(of);
  const deploymentMissing = apply && of.replicas === undefined;
  const differs = apply && !deploymentMissing && want !== (of.replicas ?? 1);
  return { want, probed, deploymentMissing, ...rest, ...(differs ? { patch: want } : {}) };
}
