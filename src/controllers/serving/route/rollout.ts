// Gradual rollout: the latest revision gets its traffic in steps, whose state the Ingress carries (serving.md §2.7). Pure.
//
// a new latest revision          1 %, taken from the newest one that has any; the plan of the steps waits until that has proved ready
// the first step is in force     step size and time between steps, so that the whole takes its duration and no step is shorter than the first
// a step is due                  its size moves to the newest revision, from the others, newest first
// the target rises               the newest revision gets the surplus
// the target falls               the oldest revisions lose it, whole ones if need be
//
// Times are Unix nanoseconds, which numbers do not hold.

export interface RevisionShare {
  readonly revisionName: string;
  readonly percent: number;
}

/** Absent: not yet known. */
export interface StepPlan {
  readonly starttime?: bigint;
  readonly nextStepTime?: bigint;
  readonly stepDuration?: bigint;
  readonly stepSize?: number;
}

/** One tag's traffic to the latest revision of one Configuration: revisions from old to new. */
export interface ConfigurationRollout {
  readonly configurationName: string;
  readonly tag: string;
  readonly percent: number;
  readonly revisions: readonly RevisionShare[];
  readonly step: StepPlan;
}

/** In the order of tags and Configurations. */
export type Rollout = readonly ConfigurationRollout[];

const SECOND_NS = 1_000_000_000;
/** What a new revision begins with; a Configuration with no more than this is not rolled out. */
const FIRST_PERCENT = 1;

/** Every Configuration has its traffic at one revision. */
export function isDone(rollout: Rollout): boolean {
  return rollout.every(({ revisions }) => revisions.length <= 1);
}

/** A stored state that adds up; anything else counts as none. */
export function isValid(rollout: Rollout): boolean {
  return rollout.every(({ percent, revisions, step }) => {
    const sum = revisions.reduce((total, share) => total + share.percent, 0);
    const { stepSize = 0 } = step;
    return percent >= 0 && percent <= 100 && sum === percent && stepSize >= 0 && stepSize <= percent;
  });
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** When the next step is due; undefined: none is planned. */
export function nextStepOf(rollout: Rollout): bigint | undefined {
  return rollout.reduce<bigint | undefined>((next, { step }) => earlier(next, step.nextStepTime), undefined);
}

/** Shares brought to `percent` in all. */
function adjusted(revisions: readonly RevisionShare[], percent: number): readonly RevisionShare[] {
  let surplus = percent - revisions.reduce((sum, share) => sum + share.percent, 0);
  if (surplus === 0) return revisions;
  if (surplus > 0) return revisions.map((share, index) => (index === revisions.length - 1 ? { ...share, percent: share.percent + surplus } : share));
  const kept: RevisionShare[] = [];
  for (const share of revisions) {
    const cut = Math.min(share.percent, -surplus);
    surplus += cut;
    if (cut === 0 || share.percent > cut) kept.push({ ...share, percent: share.percent - cut });
  }
  return kept;
}

/** Takes `amount` from the revisions, newest first; those that lose all are gone. */
function takenFrom(revisions: readonly RevisionShare[], amount: number): { readonly left: readonly RevisionShare[]; readonly taken: number } {
  const left: RevisionShare[] = [];
  let taken = 0;
  for (const share of revisions.toReversed()) {
    const moved = Math.min(share.percent, amount - taken);
    taken += moved;
    if (share.percent > moved) left.unshift({ ...share, percent: share.percent - moved });
  }
  return { left, taken };
}

function begun(wanted: ConfigurationRollout, revisions: readonly RevisionShare[], nowNs: bigint): ConfigurationRollout {
  const [latest] = wanted.revisions;
  const { left } = takenFrom(revisions, FIRST_PERCENT);
  const shares = [...left, { revisionName: latest?.revisionName ?? "", percent: FIRST_PERCENT }];
  return { ...wanted, revisions: shares, step: { starttime: nowNs } };
}

function stepped(
  wanted: ConfigurationRollout,
  its: { readonly revisions: readonly RevisionShare[]; readonly step: StepPlan },
  nowNs: bigint,
): ConfigurationRollout {
  const { revisions, step } = its;
  const { nextStepTime, stepDuration = 0n, stepSize = 0 } = step;
  if (nextStepTime === undefined || nextStepTime > nowNs) return { ...wanted, revisions, step };
  const newest = revisions.at(-1) ?? { revisionName: "", percent: 0 };
  const { left, taken } = takenFrom(revisions.slice(0, -1), stepSize);
  if (left.length === 0) return wanted;
  const shares = [...left, { ...newest, percent: newest.percent + taken }];
  return { ...wanted, revisions: shares, step: { ...step, nextStepTime: nowNs + stepDuration } };
}

function stepOf(wanted: ConfigurationRollout, before: ConfigurationRollout | undefined, nowNs: bigint): ConfigurationRollout {
  const latest = wanted.revisions[0]?.revisionName;
  if (before === undefined || before.revisions.length === 0 || wanted.percent <= FIRST_PERCENT) return wanted;
  const revisions = adjusted(before.revisions, wanted.percent);
  if (revisions.at(-1)?.revisionName !== latest) return begun(wanted, revisions, nowNs);
  return revisions.length === 1 ? wanted : stepped(wanted, { revisions, step: before.step }, nowNs);
}

/** The state after `before`, on the way to `wanted`, in which every Configuration has its latest revision only. */
export function stepRollout(wanted: Rollout, before: Rollout, nowNs: bigint): Rollout {
  const beforeOf = ({ configurationName, tag }: ConfigurationRollout): ConfigurationRollout | undefined =>
    before.find((other) => other.configurationName === configurationName && other.tag === tag);
  return wanted.filter(({ percent }) => percent > 0).map((each) => stepOf(each, beforeOf(each), nowNs));
}

/** The first step is in force: how large the others are, and how long each lasts. */
function planned(rollout: ConfigurationRollout, nowNs: bigint, durationSeconds: number): ConfigurationRollout {
  const { percent, revisions, step } = rollout;
  if (revisions.length <= 1 || step.starttime === undefined || step.stepDuration !== undefined) return rollout;
  const tookSeconds = Math.max(1, Math.ceil(Number(nowNs - step.starttime) / SECOND_NS));
  const leftSeconds = Math.max(1, durationSeconds - tookSeconds);
  const steps = Math.min(Math.max(1, leftSeconds / tookSeconds), percent - FIRST_PERCENT);
  const stepDurationNs = (leftSeconds * SECOND_NS) / steps;
  return {
    ...rollout,
    step: {
      ...step,
      // Knative adds them as floating-point numbers, and stored states of both shall be the same.
      nextStepTime: BigInt(Number(nowNs) + stepDurationNs),
      stepDuration: BigInt(Math.trunc(stepDurationNs)),
      stepSize: Math.round((percent - FIRST_PERCENT) / steps),
    },
  };
}

/** The Ingress with the first step has become ready. */
export function observeReady(rollout: Rollout, nowNs: bigint, durationSeconds: number): Rollout {
  return rollout.map((each) => planned(each, nowNs, durationSeconds));
}

function stepText({ starttime, nextStepTime, stepDuration, stepSize }: StepPlan): string {
  const fields = Object.entries({ starttime, nextStepTime, stepDuration, stepSize }).filter(([, value]) => value !== undefined && BigInt(value) !== 0n);
  return `{${fields.map(([name, value]) => `"${name}":${String(value)}`).join(",")}}`;
}

/** As the Ingress carries it. */
export function rolloutText(rollout: Rollout): string {
  const configurations = rollout.map(({ configurationName, tag, percent, revisions, step }) => {
    const rest = revisions.length === 0 ? {} : { revisions: revisions.map(({ revisionName, percent: share }) => ({ revisionName, percent: share })) };
    const fields = JSON.stringify({ configurationName, ...(tag === "" ? {} : { tag }), percent, ...rest });
    return `${fields.slice(0, -1)},"stepParams":${stepText(step)}}`;
  });
  return configurations.length === 0 ? "{}" : `{"configurations":[${configurations.join(",")}]}`;
}

interface StoredConfiguration {
  readonly configurationName?: unknown;
  readonly tag?: unknown;
  readonly percent?: unknown;
  readonly revisions?: readonly { readonly revisionName?: unknown; readonly percent?: unknown }[] | null;
  readonly stepParams?: Readonly<Record<string, unknown>>;
}

const NANOSECONDS = new Set(["starttime", "nextStepTime", "stepDuration"]);

/** Whole numbers too large for a number keep their digits. */
function reviveExactly(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return NANOSECONDS.has(key) && typeof value === "number" ? BigInt(context?.source ?? value) : value;
}

const isPercent = (value: unknown): value is number => Number.isInteger(value);

function readConfiguration({ configurationName, tag = "", percent = 0, revisions, stepParams = {} }: StoredConfiguration): ConfigurationRollout {
  if (typeof configurationName !== "string" || typeof tag !== "string" || !isPercent(percent)) throw new TypeError("no Configuration");
  const shares = (revisions ?? []).map(({ revisionName, percent: share = 0 }) => {
    if (typeof revisionName !== "string" || !isPercent(share)) throw new TypeError("no revision");
    return { revisionName, percent: share };
  });
  const time = (name: string): Record<string, bigint> => {
    const value = stepParams[name];
    return typeof value === "bigint" && value !== 0n ? { [name]: value } : {};
  };
  const size = stepParams["stepSize"];
  const step = { ...time("starttime"), ...time("nextStepTime"), ...time("stepDuration"), ...(isPercent(size) && size !== 0 ? { stepSize: size } : {}) };
  return { configurationName, tag, percent, revisions: shares, step };
}

/** The state that an Ingress carries; undefined when there is none, or none that can be read. */
export function parseRollout(text: string | undefined): Rollout | undefined {
  try {
    const { configurations = [] } = JSON.parse(text ?? "", reviveExactly) as { readonly configurations?: readonly StoredConfiguration[] };
    return configurations.map(readConfiguration);
  } catch {
    return undefined;
  }
}

/** A Route's own duration counts before that of config-network, unless it is 0; `durationMs` undefined: it has none. */
export function rolloutSecondsOf(durationMs: number | undefined, configured: number): number {
  return durationMs !== undefined && durationMs > 0 ? durationMs / 1_000 : configured;
}

/** What is in force of a Route's rollout. */
export interface RolloutInputs {
  /** Every Configuration at its latest revision. */
  readonly wanted: Rollout;
  /** The text that the Ingress carries; undefined: there is no Ingress. */
  readonly stored: string | undefined;
  /** 0 or less: all traffic moves at once. */
  readonly durationSeconds: number;
  /** The Ingress is ready as it stands, and the Route has not told so yet. */
  readonly becameReady: boolean;
  readonly nowNs: bigint;
}

/** The state that shall be in force now; `dueNs`: nanoseconds until the next step. */
export function planRollout({ wanted, stored, durationSeconds, becameReady, nowNs }: RolloutInputs): { readonly rollout: Rollout; readonly dueNs?: bigint } {
  const at = wanted.filter(({ percent }) => percent > 0);
  const before = parseRollout(stored);
  if (durationSeconds <= 0 || before === undefined || before.length === 0 || !isValid(before)) return { rollout: at };
  const rollout = stepRollout(at, becameReady ? observeReady(before, nowNs, durationSeconds) : before, nowNs);
  const next = nextStepOf(rollout);
  return next === undefined ? { rollout } : { rollout, dueNs: next - nowNs };
}
