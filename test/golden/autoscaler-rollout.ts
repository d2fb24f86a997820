// Adapter of the recorded rollout-*.json: the gradual rollout of a Route, step by step. Integers there exceed 2^53: texts are compared.
import { isDone, isValid, nextStepOf, observeReady, parseRollout, planRollout, rolloutSecondsOf, rolloutText, stepRollout, type Rollout } from "#controllers";
import { parseDurationMs } from "#core";
import { compared, type Checked } from "./autoscaler-compare.ts";

/** Whole numbers as bigint, read from their digits. */
export type Exact = bigint | string | boolean | null | readonly Exact[] | { readonly [key: string]: Exact };

/** The text of a recorded value; its numbers keep their digits. */
function textOf(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`)
    .join(",")}}`;
}

function stateOf(recorded: unknown): Rollout {
  const state = parseRollout(textOf(recorded ?? {}));
  if (state === undefined) throw new Error(`no state: ${textOf(recorded)}`);
  return state;
}

/** In one order of fields. */
const plain = (recorded: unknown): string => rolloutText(stateOf(recorded));

interface StepCase {
  readonly name: string;
  readonly cur: unknown;
  readonly prev: unknown;
  readonly now: bigint;
  readonly out: { readonly rollout: unknown; readonly next: bigint; readonly done: boolean } | { readonly panics: true };
}

export function* checkStep({ name, cur, prev, now, out }: StepCase): Iterable<Checked> {
  const wanted = stateOf(cur);
  const before = stateOf(prev);
  const rollout = before.length === 0 ? wanted : stepRollout(wanted, before, now);
  // Where Knative crashes, the result must at least be one that can go on.
  if ("panics" in out) yield compared(`${name} sane`, true, isValid(rollout) && rollout.length === wanted.length);
  else yield compared(name, [plain(out.rollout), out.next, out.done], [rolloutText(rollout), nextStepOf(rollout) ?? 0n, isDone(rollout)]);
}

export function* checkObserveReady(given: {
  readonly name: string;
  readonly state: unknown;
  readonly now: bigint;
  readonly durationSecs: bigint;
  readonly out: unknown;
}): Iterable<Checked> {
  yield compared(given.name, plain(given.out), rolloutText(observeReady(stateOf(given.state), given.now, Number(given.durationSecs))));
}

export function* checkValidate({
  name,
  state,
  valid,
  done,
}: {
  readonly name: string;
  readonly state: unknown;
  readonly valid: boolean;
  readonly done: boolean;
}): Iterable<Checked> {
  yield compared(name, [valid, done], [isValid(stateOf(state)), isDone(stateOf(state))]);
}

interface RouteStep {
  readonly t: bigint;
  readonly in: {
    readonly clusterDurationSecs: bigint;
    readonly created?: boolean;
    readonly ingressReady: boolean;
    readonly rolloutDuration: string;
    readonly routeIngressReady: string;
    readonly stored: string;
    readonly targets: readonly {
      readonly configurationName: string;
      readonly revisionName: string;
      readonly percent: bigint;
      readonly latestRevision: boolean;
      readonly tag: string;
    }[];
  };
  readonly out: { readonly rollout: unknown; readonly done: boolean; readonly enqueueAfterNs?: bigint };
}

export function* checkRolloutSequence({
  name,
  startUnixNs,
  steps,
}: {
  readonly name: string;
  readonly startUnixNs: bigint;
  readonly steps: readonly RouteStep[];
}): Iterable<Checked> {
  for (const { t, in: given, out } of steps) {
    const wanted = given.targets
      .filter(({ latestRevision }) => latestRevision)
      .map(({ configurationName, revisionName, tag, ...share }) => {
        const percent = Number(share.percent);
        return { configurationName, tag, percent, revisions: [{ revisionName, percent }], step: {} };
      });
    const { rollout, dueNs } = planRollout({
      wanted,
      stored: given.created === true ? undefined : given.stored,
      durationSeconds: rolloutSecondsOf(parseDurationMs(given.rolloutDuration), Number(given.clusterDurationSecs)),
      becameReady: given.ingressReady && given.routeIngressReady !== "True",
      nowNs: startUnixNs + t,
    });
    yield compared(`${name} t=${t}`, [plain(out.rollout), out.done, out.enqueueAfterNs], [rolloutText(rollout), isDone(rollout), dueNs]);
  }
}
