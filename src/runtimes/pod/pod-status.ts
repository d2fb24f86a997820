// The status of a pod from what its containers do, in the kubelet's words. Pure.
import { rfc3339 } from "#core";
import type { CoreContainerStatus, ContainerState, CoreContainer, Pod, PodCondition, PodStatus } from "#kinds";
import type { EngineContainer, EngineIdentity, PodPlace } from "../engine.ts";
import type { CutShort } from "./pod-events.ts";
import { restarts } from "./pod-plan.ts";

export type Terminated = NonNullable<ContainerState["terminated"]>;

/** All that is known about one container. The shell replaces it as a whole. */
export interface ContainerRun {
  readonly spec: CoreContainer;
  readonly init: boolean;
  readonly phase: "waiting" | "running" | "ended";
  readonly waiting: { readonly reason: string; readonly message?: string };
  readonly identity?: EngineIdentity;
  readonly startedAtWallMs?: number;
  readonly startedAtMs?: number;
  readonly terminated?: Terminated;
  readonly last?: Terminated;
  readonly restarts: number;
  /** Ends in a row, for the backoff. */
  readonly crashes: number;
  readonly dueAtMs?: number;
  /** It runs, and what it does right after its start is not done: not shown as running yet. */
  readonly settlingIn?: true;
  /** The startup probe passed, or there is none. */
  readonly started: boolean;
  readonly ready: boolean;
  readonly imageId: string;
  /** Why it is not ready although it runs, for people. */
  readonly complaint?: { readonly reason: string; readonly message: string };
}

/** What it is to its pod. */
export function kindOf({ spec, init }: Pick<ContainerRun, "spec" | "init">): "init" | "sidecar" | "container" {
  return init ? (spec.restartPolicy === "Always" ? "sidecar" : "init") : "container";
}

function newRun({ pod, spec, init, now }: ResumeInput): ContainerRun {
  const waiting = { reason: (pod.spec.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating" };
  return { spec, init, phase: "waiting", waiting, restarts: 0, crashes: 0, dueAtMs: now.monotonicMs, started: false, ready: false, imageId: "" };
}

export interface ResumeInput {
  readonly pod: Pod;
  readonly spec: CoreContainer;
  readonly init: boolean;
  /** What the engine has under this container's id. */
  readonly found: EngineContainer | undefined;
  readonly now: { readonly monotonicMs: number; readonly wallMs: number };
}

/** What a container was doing when an earlier platform ended: from the engine's list and the pod's own status. */
export function resumedRun(input: ResumeInput): ContainerRun {
  const { pod, spec, init, found, now } = input;
  const fresh = newRun(input);
  const statuses = init ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
  const before = statuses?.find((status) => status.name === spec.name);
  const ended = before?.state?.terminated ?? before?.lastState?.terminated;
  const known = { ...fresh, restarts: before?.restartCount ?? 0, imageId: before?.imageID ?? "", ...(ended === undefined ? {} : { last: ended }) };
  const { dueAtMs, ...idle } = known;
  if (found !== undefined) {
    const startedAtWallMs = Date.parse(before?.state?.running?.startedAt ?? "") || now.wallMs;
    const ready = before?.ready === true && found.running;
    const started = before?.started === true || spec.startupProbe === undefined;
    return { ...idle, phase: "running", identity: found.identity, startedAtWallMs, startedAtMs: now.monotonicMs, ready, started };
  }
  const kind = kindOf({ spec, init });
  const over = before?.state?.terminated;
  // An end that is its last is shown as its state; one that it starts again from, as its last state.
  if (over !== undefined && !restarts(pod.spec.restartPolicy, over.exitCode, kind)) return { ...idle, phase: "ended", terminated: over };
  if (before?.state?.running === undefined) return known;
  const terminated = { exitCode: 137, reason: "ContainerStatusUnknown", message: "The container could not be located when the pod was terminated" };
  const again = restarts(pod.spec.restartPolicy, terminated.exitCode, kind);
  return { ...idle, phase: "ended", terminated, ...(again && dueAtMs !== undefined ? { dueAtMs } : {}) };
}

function stateOf(run: ContainerRun): ContainerState {
  if (run.phase === "ended" && run.terminated !== undefined && run.dueAtMs === undefined) return { terminated: run.terminated };
  if (run.phase !== "running" || run.settlingIn === true) return { waiting: { ...run.waiting } };
  // A running program that can never become ready is shown as waiting: this is where Knative looks for a reason.
  if (run.complaint !== undefined && !run.ready) return { waiting: { ...run.complaint } };
  return { running: run.startedAtWallMs === undefined ? {} : { startedAt: rfc3339(run.startedAtWallMs) } };
}

export function containerStatusFor(run: ContainerRun): CoreContainerStatus {
  const last = run.dueAtMs === undefined && run.phase === "ended" ? undefined : (run.terminated ?? run.last);
  return {
    name: run.spec.name,
    state: stateOf(run),
    lastState: last === undefined ? {} : { terminated: last },
    ready: kindOf(run) === "init" ? run.phase === "ended" && run.terminated?.exitCode === 0 : run.ready && run.phase === "running",
    restartCount: run.restarts,
    image: run.spec.image ?? "",
    imageID: run.imageId,
    ...(run.identity === undefined ? {} : { containerID: run.identity.containerId }),
    started: run.phase === "running" && run.started,
  };
}

export interface StatusInput {
  readonly pod: Pod;
  readonly runs: readonly ContainerRun[];
  /** Undefined until the pod has one. */
  readonly place: PodPlace | undefined;
  readonly nowWallMs: number;
  /** It is ended before its time. */
  readonly cutShort: CutShort | undefined;
}

/** The whole status; conditions that did not change keep their times. */
export function podStatusFor({ pod, runs, place, nowWallMs, cutShort }: StatusInput): PodStatus {
  const inits = runs.filter((run) => run.init);
  const containers = runs.filter((run) => !run.init);
  const phase = phaseOf(pod, { inits, containers, failed: cutShort !== undefined });
  const where = place ?? placeIn(pod.status);
  return {
    phase,
    ...(cutShort !== undefined && phase === "Failed" ? { reason: cutShort.reason, message: cutShort.message } : {}),
    conditions: withTimes(conditionsFor(pod, { inits, containers, phase, placed: where !== undefined }), pod.status?.conditions ?? [], nowWallMs),
    ...addressesFor(where),
    startTime: pod.status?.startTime ?? rfc3339(nowWallMs),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map(containerStatusFor) }),
    containerStatuses: containers.map(containerStatusFor),
    ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
  };
}

interface Parts {
  readonly inits: readonly ContainerRun[];
  readonly containers: readonly ContainerRun[];
}

const truth = (holds: boolean): "True" | "False" => (holds ? "True" : "False");

function conditionsFor(pod: Pod, { inits, containers, phase, placed }: Parts & { readonly phase: string; readonly placed: boolean }): PodCondition[] {
  const ready = readinessOf({ inits, containers }, phase);
  const gates = (pod.spec.readinessGates ?? []).every((gate) =>
    pod.status?.conditions?.some((one) => one.type === gate.conditionType && one.status === "True"),
  );
  return [
    { type: "PodReadyToStartContainers", status: truth(placed) },
    initializedCondition({ inits, containers }, phase),
    { type: "Ready", ...ready, status: truth(ready.status === "True" && gates) },
    { type: "ContainersReady", ...ready },
    { type: "PodScheduled", status: "True" },
  ];
}

function initializedCondition({ inits, containers }: Parts, phase: string): PodCondition {
  if (phase === "Succeeded") return { type: "Initialized", status: "True", reason: "PodCompleted" };
  const begun = containers.some((run) => run.phase === "running" || run.terminated !== undefined || run.last !== undefined);
  const isDone = (run: ContainerRun): boolean =>
    kindOf(run) === "sidecar" ? run.phase === "running" && run.started : run.phase === "ended" && run.terminated?.exitCode === 0;
  const incomplete = begun ? [] : inits.filter((run) => !isDone(run)).map((run) => run.spec.name);
  if (incomplete.length === 0) return { type: "Initialized", status: "True" };
  return { type: "Initialized", status: "False", reason: "ContainersNotInitialized", message: `containers with incomplete status: [${incomplete.join(" ")}]` };
}

/** Sidecars count. */
function readinessOf({ inits, containers }: Parts, phase: string): Pick<PodCondition, "status" | "reason" | "message"> {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const counted = [...inits.filter((run) => kindOf(run) === "sidecar"), ...containers];
  const unready = counted.map(containerStatusFor).filter((status) => !status.ready);
  if (unready.length === 0) return { status: "True" };
  const complaint = containers.find((run) => run.complaint !== undefined && !run.ready)?.complaint;
  const names = unready.map((status) => status.name).join(" ");
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${names}]${complaint === undefined ? "" : `: ${complaint.message}`}`,
  };
}

type Where = Pick<PodPlace, "podIP" | "hostIP">;

/** What it was told by an earlier platform. */
function placeIn(status: PodStatus | undefined): Where | undefined {
  return status?.podIP === undefined || status.hostIP === undefined ? undefined : { podIP: status.podIP, hostIP: status.hostIP };
}

function addressesFor(where: Where | undefined): Pick<PodStatus, "hostIP" | "hostIPs" | "podIP" | "podIPs"> {
  if (where === undefined) return {};
  const { podIP, hostIP } = where;
  return { hostIP, hostIPs: [{ ip: hostIP }], podIP, podIPs: [{ ip: podIP }] };
}

/** A pod is over when nothing of it runs any more: until then the next platform has something to end. */
function phaseOf(pod: Pod, { inits, containers, failed: isCut }: Parts & { readonly failed: boolean }): string {
  const ended = (run: ContainerRun): boolean => run.phase === "ended" && run.dueAtMs === undefined;
  const runs = [...inits, ...containers].some((run) => run.phase === "running");
  const failed = isCut || inits.some((run) => kindOf(run) === "init" && ended(run) && run.terminated?.exitCode !== 0);
  if (failed && !runs) return "Failed";
  if (containers.length > 0 && containers.every(ended) && !runs) return containers.every((run) => run.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  const begun = containers.some((run) => run.phase === "running" || run.terminated !== undefined || run.last !== undefined);
  return begun || pod.status?.phase === "Running" ? "Running" : "Pending";
}

/** Types that we do not own (readiness gates) stay as they are. */
function withTimes(wanted: readonly PodCondition[], old: readonly PodCondition[], nowWallMs: number): PodCondition[] {
  const ours = wanted.map((condition) => {
    const before = old.find((one) => one.type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? rfc3339(nowWallMs) };
  });
  return [...ours, ...old.filter((one) => !wanted.some((condition) => condition.type === one.type))];
}

/** Nothing went wrong yet and nothing has ended: the next report may say all at once. */
export function isComingUp(run: ContainerRun): boolean {
  if (run.last !== undefined || run.complaint !== undefined) return false;
  if (run.phase === "running") return true;
  if (run.init && run.phase === "ended") return run.terminated?.exitCode === 0;
  return run.phase === "waiting" && (run.waiting.reason === "ContainerCreating" || run.waiting.reason === "PodInitializing");
}
