// The status of a pod from what its containers do, in the kubelet's words. Pure.
import { rfc3339 } from "#core";
import type { CoreContainerStatus, ContainerState, CoreContainer, Pod, PodCondition, PodStatus } from "#kinds";
import type { EngineContainer, EngineIdentity, PodPlace } from "../engine.ts";
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
  /** The startup probe passed, or there is none. */
  readonly started: boolean;
  readonly ready: boolean;
  readonly imageId: string;
  /** Why it is not ready although it runs, for people. */
  readonly complaint?: { readonly reason: string; readonly message: string };
}

export function newRun(spec: CoreContainer, init: boolean, nowMs: number): ContainerRun {
  const waiting = { reason: init ? "PodInitializing" : "ContainerCreating" };
  return { spec, init, phase: "waiting", waiting, restarts: 0, crashes: 0, dueAtMs: nowMs, started: false, ready: false, imageId: "" };
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
export function resumedRun({ pod, spec, init, found, now }: ResumeInput): ContainerRun {
  const fresh = newRun(spec, init, now.monotonicMs);
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
  if (init && before?.state?.terminated?.exitCode === 0) return { ...idle, phase: "ended", terminated: before.state.terminated };
  if (before?.state?.running === undefined) return known;
  const terminated = { exitCode: 137, reason: "ContainerStatusUnknown", message: "The container could not be located when the pod was terminated" };
  const again = restarts(pod.spec.restartPolicy, terminated.exitCode, init);
  return { ...idle, phase: "ended", terminated, ...(again && dueAtMs !== undefined ? { dueAtMs } : {}) };
}

function stateOf(run: ContainerRun): ContainerState {
  if (run.phase === "ended" && run.terminated !== undefined && run.dueAtMs === undefined) return { terminated: run.terminated };
  if (run.phase !== "running") return { waiting: { ...run.waiting } };
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
    ready: run.init ? run.phase === "ended" && run.terminated?.exitCode === 0 : run.ready && run.phase === "running",
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
}

/** The whole status; conditions that did not change keep their times. */
export function podStatusFor({ pod, runs, place, nowWallMs }: StatusInput): PodStatus {
  const inits = runs.filter((run) => run.init);
  const containers = runs.filter((run) => !run.init);
  const initialized = inits.every((run) => run.phase === "ended" && run.terminated?.exitCode === 0);
  const statuses = containers.map(containerStatusFor);
  const unready = statuses.filter((status) => !status.ready);
  const complaint = containers.find((run) => run.complaint !== undefined && !run.ready)?.complaint;
  const names = unready.map((status) => status.name).join(" ");
  const why =
    unready.length === 0
      ? {}
      : { reason: "ContainersNotReady", message: `containers with unready status: [${names}]${complaint === undefined ? "" : `: ${complaint.message}`}` };
  const incomplete = inits.filter((run) => run.terminated?.exitCode !== 0).map((run) => run.spec.name);
  const truth = (holds: boolean): "True" | "False" => (holds ? "True" : "False");
  const gates = (pod.spec.readinessGates ?? []).every((gate) =>
    pod.status?.conditions?.some((one) => one.type === gate.conditionType && one.status === "True"),
  );
  const where = place ?? placeIn(pod.status);
  const wanted: PodCondition[] = [
    { type: "PodReadyToStartContainers", status: truth(where !== undefined) },
    {
      type: "Initialized",
      status: truth(initialized),
      ...(initialized ? {} : { reason: "ContainersNotInitialized", message: `containers with incomplete status: [${incomplete.join(" ")}]` }),
    },
    { type: "Ready", status: truth(unready.length === 0 && gates), ...why },
    { type: "ContainersReady", status: truth(unready.length === 0), ...why },
    { type: "PodScheduled", status: "True" },
  ];
  return {
    phase: phaseOf(pod, inits, containers),
    conditions: withTimes(wanted, pod.status?.conditions ?? [], nowWallMs),
    ...addressesFor(where),
    startTime: pod.status?.startTime ?? rfc3339(nowWallMs),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map(containerStatusFor) }),
    containerStatuses: statuses,
    ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
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

function phaseOf(pod: Pod, inits: readonly ContainerRun[], containers: readonly ContainerRun[]): string {
  const over = (run: ContainerRun): boolean => run.phase === "ended" && run.dueAtMs === undefined;
  if (inits.some((run) => over(run) && run.terminated?.exitCode !== 0)) return "Failed";
  if (containers.length > 0 && containers.every(over)) return containers.every((run) => run.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
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
