// The autoscaler's formula in a few lines of its own (serving.md 3.5), to hold recorded decisions against. It shares nothing with the product.

/** As `GET /debug/eider/explain` tells it: one evaluation, or several in a row with the same numbers. */
export interface Decision {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly ready?: number;
  readonly values?: { readonly stable: number; readonly panic: number };
  readonly desired: number;
  readonly heldAt?: number;
}

export interface Rule {
  /** Requests at once that a pod should bear. */
  readonly target: number;
  readonly stableWindowMs: number;
}

/** Knative's defaults: up by 1000 times, down by half, panic at twice of what the ready pods should bear. */
const UP_MAX = 1000;
const DOWN_MAX = 2;
const PANIC_AT = 2;

/** The pods that the formula wants at each decision; undefined where there is nothing to decide by. */
export function wantedPods(decisions: readonly Decision[], { target, stableWindowMs }: Rule): (number | undefined)[] {
  let panicSinceMs = -Infinity;
  let most = 0;
  const step = (atMs: number, ready: number, values: { readonly stable: number; readonly panic: number }): number => {
    const pods = Math.max(1, ready);
    const within = (count: number): number => Math.min(Math.max(count, Math.floor(pods / DOWN_MAX)), pods * UP_MAX);
    const [stable, panic] = [Math.ceil(values.stable / target), Math.ceil(values.panic / target)];
    if (panic / pods >= PANIC_AT) panicSinceMs = atMs;
    if (panicSinceMs + stableWindowMs < atMs) [panicSinceMs, most] = [-Infinity, 0];
    if (panicSinceMs === -Infinity) return within(stable);
    most = Math.max(most, within(stable), within(panic));
    return most;
  };
  return decisions.map(({ sinceMs, untilMs, ready, values }) => {
    if (values === undefined || ready === undefined) return undefined;
    const first = step(sinceMs, ready, values);
    // Each evaluation of a row has the same inputs; only the time in panic goes on.
    return untilMs === sinceMs ? first : step(untilMs, ready, values);
  });
}

/** Where the formula and the decisions differ, as lines to read. */
export function differences(decisions: readonly Decision[], rule: Rule): string[] {
  return wantedPods(decisions, rule).flatMap((wanted, index) => {
    const decision = decisions[index];
    if (decision === undefined || wanted === undefined || decision.heldAt !== undefined || decision.desired === wanted) return [];
    return [`at ${decision.untilMs} ms: decided ${decision.desired}, the formula says ${wanted}: ${JSON.stringify(decision)}`];
  });
}
