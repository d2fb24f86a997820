// How many replicas one resource metric asks for, from what the pods use. Pure; the rules are Kubernetes'.
import type { Pod } from "#kinds";
import { parseQuantity } from "#schema";

/** What a pod, or one container of it, uses; in thousandths, as Kubernetes calculates. */
export interface Sample {
  readonly milli: bigint;
  /** The end of the window, wall-clock milliseconds. */
  readonly atMs: number;
  readonly windowMs: number;
}

/** A share of what is requested, in percent, or an amount a pod. */
export type Target = { readonly utilization: number } | { readonly milli: bigint };

export interface Question {
  readonly current: number;
  /** `cpu` or `memory`. */
  readonly resource: string;
  /** "" for the whole pod. */
  readonly container: string;
  readonly target: Target;
  readonly pods: readonly Pod[];
  /** By name of the pod; absent where nothing was measured. */
  readonly samples: ReadonlyMap<string, Sample>;
  readonly wallMs: number;
}

export interface Answer {
  readonly replicas: number;
  /** The mean of the pods that count. */
  readonly milli: bigint;
  /** In percent of what they request; only when that is the target. */
  readonly utilization?: number;
}

/** So far off the target nothing is done. */
const TOLERANCE = 0.1;
/** Until then CPU of a pod may be that of its start. */
const INITIALIZATION_MS = 300_000;
/** A pod that was unready within this time after its start and still is has never been ready. */
const INITIAL_READINESS_MS = 30_000;
const HUNDRED = 100n;

/**
 * | pod                                   | counts as |
 * |---|---|
 * | being deleted, or failed              | ignored   |
 * | pending                               | unready   |
 * | nothing measured                      | missing   |
 * | cpu, and not ready or just become so  | unready   |
 * | any other                             | measured  |
 */
type Standing = "ignored" | "unready" | "missing" | "measured";

function standingOf(pod: Pod, { resource, samples, wallMs }: Question): Standing {
  if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed") return "ignored";
  if (pod.status?.phase === "Pending") return "unready";
  const sample = samples.get(pod.metadata.name);
  if (sample === undefined) return "missing";
  return resource === "cpu" && isStarting(pod, sample, wallMs) ? "unready" : "measured";
}

/** While it starts, CPU counts only once a whole window lies after the moment at which it became ready. */
function isStarting(pod: Pod, sample: Sample, wallMs: number): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined || pod.status?.startTime === undefined) return true;
  const startedMs = Date.parse(pod.status.startTime);
  const changedMs = Date.parse(ready.lastTransitionTime ?? pod.status.startTime);
  if (startedMs + INITIALIZATION_MS > wallMs) return ready.status === "False" || sample.atMs < changedMs + sample.windowMs;
  return ready.status === "False" && startedMs + INITIAL_READINESS_MS > changedMs;
}

/** Thousandths, rounded up. */
export function milliOf(quantity: string | number | undefined): bigint | undefined {
  const nano = quantity === undefined ? undefined : parseQuantity(quantity)?.nano;
  return nano === undefined ? undefined : (nano + 999_999n) / 1_000_000n;
}

/** What a pod requests; the text of a failure where a container that counts requests nothing. */
function requestOf(pod: Pod, { resource, container }: Question): bigint | string {
  const whole = container === "" ? milliOf(pod.spec.resources?.requests?.[resource]) : undefined;
  if (whole !== undefined) return whole;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  let sum = 0n;
  for (const { name, resources } of [...pod.spec.containers, ...sidecars]) {
    if (container !== "" && container !== name) continue;
    const request = milliOf(resources?.requests?.[resource]);
    if (request === undefined) return `missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`;
    sum += request;
  }
  return sum;
}

interface Usage {
  /** Of what there is to what is wanted. */
  readonly ratio: number;
  readonly milli: bigint;
  readonly utilization?: number;
}

/** What pods use, by name. */
type Uses = ReadonlyMap<string, bigint>;

/** Compares what pods use with the target; undefined where they request nothing at all. */
type Compare = (uses: Uses) => Usage | undefined;

const sumOf = (values: Iterable<bigint>): bigint => [...values].reduce((sum, value) => sum + value, 0n);

function comparison(target: Target, requests: ReadonlyMap<string, bigint>): Compare {
  return (uses) => {
    const total = sumOf(uses.values());
    const milli = total / BigInt(uses.size);
    if ("milli" in target) return { ratio: Number(milli) / Number(target.milli), milli };
    const requested = sumOf([...uses.keys()].map((name) => requests.get(name) ?? 0n));
    if (requested === 0n) return undefined;
    const utilization = Number((total * HUNDRED) / requested);
    return { ratio: utilization / target.utilization, milli, utilization };
  };
}

/** What a pod of which nothing is known is taken to use when fewer are wanted: that nobody is deleted by mistake. */
function fullUse(name: string, target: Target, requests: ReadonlyMap<string, bigint>): bigint {
  if ("milli" in target) return target.milli;
  return ((requests.get(name) ?? 0n) * BigInt(Math.max(100, target.utilization))) / HUNDRED;
}

const isNear = (ratio: number): boolean => ratio >= 1 - TOLERANCE && ratio <= 1 + TOLERANCE;
const NO_MATCH = "no metrics returned matched known pods";

/** The number of replicas, or why there is none, in Kubernetes' words. */
export function replicasFor(question: Question): Answer | string {
  const { current, pods, samples, target } = question;
  if (pods.length === 0) return "no pods returned by selector while calculating replica count";
  const by = Map.groupBy(pods, (pod) => standingOf(pod, question));
  const namesOf = (standing: Standing): string[] => (by.get(standing) ?? []).map(({ metadata }) => metadata.name);
  const uses = new Map(namesOf("measured").map((name) => [name, samples.get(name)?.milli ?? 0n]));
  if (uses.size === 0) return "did not receive metrics for targeted pods (pods might be unready)";
  const requests = new Map<string, bigint>();
  if ("utilization" in target) {
    for (const pod of pods) {
      const request = requestOf(pod, question);
      if (typeof request === "string") return request;
      requests.set(pod.metadata.name, request);
    }
  }
  const compare = comparison(target, requests);
  const usage = compare(uses);
  if (usage === undefined) return NO_MATCH;
  const { ratio, ...told } = usage;
  const stay = { replicas: current, ...told };
  const [missing, unready] = [namesOf("missing"), ratio > 1 ? namesOf("unready") : []];
  if (missing.length === 0 && unready.length === 0) return isNear(ratio) ? stay : { ...stay, replicas: Math.ceil(ratio * uses.size) };
  // Of the others the careful thing is assumed: nothing when more are wanted, all when fewer are.
  const assumed = new Map(uses);
  if (ratio !== 1) for (const name of missing) assumed.set(name, ratio > 1 ? 0n : fullUse(name, target, requests));
  for (const name of unready) assumed.set(name, 0n);
  const again = compare(assumed)?.ratio;
  if (again === undefined) return NO_MATCH;
  if (isNear(again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return stay;
  const replicas = Math.ceil(again * assumed.size);
  const turns = (again < 1 && replicas > current) || (again > 1 && replicas < current);
  return turns ? stay : { ...stay, replicas };
}
