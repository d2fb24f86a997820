// The conditions Active and ScaleTargetInitialized, and the mode of the revision's ServerlessService (serving.md 3.6). Pure.
import { podAutoscalerConditions as set } from "#kinds";
import { conditionOf, type Condition } from "#schema";

export interface ActiveInputs {
  /** What the scale step wants; -1: unknown. */
  readonly want: number;
  readonly ready: number;
  /** Lower bound of the scale. */
  readonly min: number;
  readonly initialScale: number;
  readonly serviceName: string;
}

const NO_TRAFFIC = { reason: "NoTraffic", message: "The target is not receiving traffic." };
const QUEUED = { reason: "Queued", message: "Requests to the target are being buffered as resources are provisioned." };
const TIMED_OUT = { reason: "TimedOut", message: "The target could not be activated." };

/** How many ready pods make the revision active. */
export function minReadyOf(initialized: boolean, { min, initialScale }: Pick<ActiveInputs, "min" | "initialScale">): number {
  return Math.max(min, initialized ? 1 : initialScale);
}

/**
 * | first match                                       | Active                                    |
 * |---------------------------------------------------|-------------------------------------------|
 * | want = 0 or minReady = 0, activating, minReady > 0 | False TimedOut                            |
 * | want = 0 or minReady = 0                           | False NoTraffic                           |
 * | ready < minReady, want > 0 or not inactive         | Unknown Queued                            |
 * | ready < minReady                                   | False NoTraffic                           |
 * | want > 0 or not inactive                           | True                                      |
 * | otherwise                                          | unchanged                                 |
 */
function markActive(conditions: Condition[], { want, ready }: ActiveInputs, minReady: number): Condition[] {
  const status = conditionOf(conditions, "Active")?.status;
  const wanted = want > 0 || status !== "False";
  if (want === 0 || minReady === 0) return set.markFalse(conditions, "Active", status === "Unknown" && minReady > 0 ? TIMED_OUT : NO_TRAFFIC);
  if (ready < minReady) return wanted ? set.markUnknown(conditions, "Active", QUEUED) : set.markFalse(conditions, "Active", NO_TRAFFIC);
  return wanted ? set.markTrue(conditions, "Active") : conditions;
}

/** Both conditions after a scale step. */
export function markScale(conditions: Condition[], inputs: ActiveInputs): Condition[] {
  const initialized = conditionOf(conditions, "ScaleTargetInitialized")?.status === "True";
  const minReady = minReadyOf(initialized, inputs);
  const marked = inputs.ready >= minReady && inputs.serviceName !== "" && !initialized ? set.markTrue(conditions, "ScaleTargetInitialized") : conditions;
  return markActive(marked, inputs, minReady);
}

/** `Serve`: clients reach the pods directly. Behind the activator at zero, and while bursts would not fit. */
export function modeFor(want: number, excessBurstCapacity: number, inactive: boolean): "Serve" | "Proxy" {
  return want === 0 || excessBurstCapacity < 0 || (want < 0 && inactive) ? "Proxy" : "Serve";
}

const ACTIVATORS_MIN = 2;

/** How many activators serve the revision. */
export function numActivatorsFor(
  ready: number,
  of: { readonly totalValue: number; readonly targetBurstCapacity: number; readonly activatorCapacity: number },
): number {
  if (of.targetBurstCapacity === 0) return ACTIVATORS_MIN;
  return Math.max(ACTIVATORS_MIN, Math.ceil((ready * of.totalValue + Math.max(of.targetBurstCapacity, 0)) / of.activatorCapacity));
}
