// Decisions of the autoscaler in words: what it saw, what follows from it, and why it is not another number.
import type { Explained } from "#autoscaler";
import { humanDuration } from "#schema";

/** What the platform tells of a revision. */
export interface ScaleDocument {
  readonly key: string;
  readonly ready?: number;
  readonly desired: number;
  readonly nowMs: number;
  readonly decisions: readonly Explained[];
}

/** What the PodAutoscaler makes of the decisions. */
export interface ScaleBounds {
  readonly min: number;
  readonly max: number;
  /** Pods that it wants in the end; undefined: not yet told. */
  readonly wanted: number | undefined;
  /** Its condition Active, when it is not True. */
  readonly inactive: string | undefined;
}

type Valid = Extract<Explained["outcome"], object>;

/** At most three digits after the point, and no more than are needed. */
export function short(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}

const pods = (count: number): string => `${count} ${count === 1 ? "pod" : "pods"}`;
const seconds = (ms: number): string => `${short(ms / 1_000)}s`;

function settingsText({ settings: s }: Explained): string {
  const what = s.scalingMetric === "rps" ? "requests per second" : "concurrent requests";
  const delay = s.scaleDownDelayMs > 0 ? `, and only after ${seconds(s.scaleDownDelayMs)}` : "";
  const burst = s.targetBurstCapacity === -1 ? "unlimited" : short(s.targetBurstCapacity);
  return [
    `  Target:     ${short(s.targetValue)} ${what} a pod = ${short(s.totalValue)} × ${short((100 * s.targetValue) / s.totalValue)} %`,
    `  Windows:    stable ${seconds(s.stableWindowMs)}; panic from ${short(100 * s.panicThreshold)} % of the ready pods on`,
    `  Speed:      at most ×${short(s.maxScaleUpRate)} up and ÷${short(s.maxScaleDownRate)} down in one decision${delay}`,
    ...(s.activationScale > 1 ? [`  Activation: at least ${pods(s.activationScale)} with any load`] : []),
    `  Burst:      target burst capacity ${burst}`,
    ...(s.reachable ? [] : ["  Reachable:  no: nothing routes to it, so it may go to zero at once"]),
  ].join("\n");
}

function demandText(explained: Explained, values: NonNullable<Explained["values"]>, outcome: Valid): string[] {
  const { targetValue } = explained.settings;
  const line = (name: string, value: number, demand: number): string => `${name} ${short(value)} / ${short(targetValue)} → ${pods(demand)}`;
  return [line("stable", values.stable, outcome.demandStable), line("panic", values.panic, outcome.demandPanic)];
}

/** Why the count is not simply the stable demand. */
function reasons(explained: Explained, outcome: Valid): string[] {
  const { settings, ready = 0, desired, heldAt } = explained;
  const found: string[] = [];
  const demand = outcome.panicking ? Math.max(outcome.demandStable, outcome.demandPanic) : outcome.demandStable;
  const chosen = outcome.panicking ? Math.max(outcome.stable, outcome.panic) : outcome.stable;
  if (demand < outcome.lowest) found.push(`not below ${outcome.lowest} = floor(${Math.max(1, ready)} / ${short(settings.maxScaleDownRate)})`);
  if (demand > outcome.highest) found.push(`not above ${outcome.highest} = ceil(${short(settings.maxScaleUpRate)} × ${Math.max(1, ready)})`);
  if (settings.activationScale > 1 && chosen === settings.activationScale && demand > 0 && demand < settings.activationScale) {
    found.push(`raised to the activation scale ${settings.activationScale}`);
  }
  if (outcome.panicking) {
    const reached = outcome.demandPanic / Math.max(1, ready) >= settings.panicThreshold;
    const why = reached
      ? `${outcome.demandPanic} ≥ ${short(settings.panicThreshold)} × ${Math.max(1, ready)} ready`
      : `for ${seconds(settings.stableWindowMs)} after it was last needed`;
    found.push(`panic (${why}): the count does not fall${outcome.beforeDelay > chosen ? ` below ${outcome.beforeDelay}` : ""}`);
  }
  const afterDelay = Math.max(outcome.beforeDelay, heldAt ?? 0);
  if (heldAt !== undefined && desired === heldAt && heldAt > outcome.beforeDelay) {
    found.push(`held at ${heldAt}: after a start or a gap in the data a whole window (${seconds(settings.stableWindowMs)}) is awaited`);
  } else if (desired > afterDelay)
    found.push(`kept at ${desired} for the scale-down delay of ${seconds(settings.scaleDownDelayMs)}; now it would be ${outcome.beforeDelay}`);
  return found;
}

const WITHOUT_DECISION: Readonly<Record<Extract<Explained["outcome"], string>, string>> = {
  "no data": "no decision: there are no data yet",
  "ready pods unknown": "no decision: the ready pods could not be counted",
  "gateways silent": "no decision: a gateway thread owes its report",
};

function decisionText(explained: Explained, nowMs: number): string {
  const { outcome, values, desired, ready, sinceMs, untilMs } = explained;
  const age = humanDuration(Math.max(0, nowMs - untilMs));
  const lasted = untilMs > sinceMs ? ` (the same for ${humanDuration(untilMs - sinceMs)})` : "";
  const head = `  ${`${age} ago`.padEnd(12)} ${pods(Math.max(0, desired))} wanted, ${ready ?? "?"} ready${lasted}`;
  if (typeof outcome === "string" || values === undefined) return `${head}\n      ${WITHOUT_DECISION[outcome as keyof typeof WITHOUT_DECISION]}`;
  return [head, ...[...demandText(explained, values, outcome), ...reasons(explained, outcome)].map((line) => `      ${line}`)].join("\n");
}

function boundsText(document: ScaleDocument, { min, max, wanted, inactive }: ScaleBounds): string {
  const bounds = `between ${min} and ${max === 0 ? "any number" : max}`;
  const result = wanted === undefined || wanted < 0 ? "nothing is wanted yet" : `${pods(wanted)} in the end`;
  const decided = document.desired < 0 ? "has decided nothing yet" : `wants ${pods(document.desired)}`;
  return `The autoscaler ${decided}; with the bounds, ${bounds}: ${result}.${inactive === undefined ? "" : `\n${inactive}`}`;
}

/** The latest decisions, newest first. */
export function scaleText(document: ScaleDocument, bounds: ScaleBounds, shown: number): string {
  const [namespace = "", name = ""] = document.key.split("/");
  const latest = document.decisions.at(-1);
  const parts = [`Revision:   ${name}\nNamespace:  ${namespace}\nReady:      ${document.ready ?? "unknown"}\n\n${boundsText(document, bounds)}`];
  if (latest === undefined) parts.push("No decision has been made.");
  else {
    const list = document.decisions.slice(-shown).reverse();
    parts.push(`Settings:\n${settingsText(latest)}`, `Decisions:\n${list.map((each) => decisionText(each, document.nowMs)).join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}
