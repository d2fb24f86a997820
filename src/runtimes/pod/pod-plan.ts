// What has to happen to a pod's containers next. Pure.

/** One container as the plan sees it. */
export interface ContainerView {
  readonly name: string;
  readonly phase: "waiting" | "running" | "ended";
  /** An init container that runs on beside the others and is started again whatever the pod's policy says. */
  readonly sidecar: boolean;
  /** It runs and its startup probe has passed, if it has one. */
  readonly started: boolean;
  /** Set when ended. */
  readonly exitCode?: number;
  /** Monotonic time from which it may be started; undefined: never (again). */
  readonly dueAtMs?: number;
}

export interface PodView {
  readonly nowMs: number;
  /** The pod has a deletionTimestamp, or its object is gone. */
  readonly deleting: boolean;
  /** `none` → drain → `drained` → terminate → `stopping`; without deletion `none` → expire → `stopping`. */
  readonly stop: "none" | "draining" | "drained" | "stopping";
  /** When it has been active for as long as it may; undefined: for ever. */
  readonly expiresAtMs?: number;
  /** Its sidecars were told to end. */
  readonly dismissed: boolean;
  /** One after the other before the containers. */
  readonly inits: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
}

export type PodAction =
  | { readonly do: "start"; readonly container: string }
  /** Wait for the gateways to let go. */
  | { readonly do: "drain" }
  | { readonly do: "terminate" }
  /** Its time is over: all containers end, the object stays. */
  | { readonly do: "expire" }
  /** The others are over: the sidecars end. */
  | { readonly do: "dismiss" }
  /** Everything has ended: forget processes and files, delete the object. */
  | { readonly do: "remove" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** When to plan again if nothing happens before. */
  readonly wakeAtMs?: number;
}

/**
 * | deleting | stop     | else | then |
 * |---|---|---|---|
 * | yes | none     | – | drain |
 * | yes | draining | – | wait  |
 * | yes | any other | nothing runs | remove |
 * | yes | drained  | something runs | terminate |
 * | yes | stopping | something runs | wait: each container sees to its own end |
 * | no  | stopping | – | wait |
 * | no  | none | the containers are over, or an init container failed for good | dismiss the sidecars that run, once |
 * | no  | none | the time is over | expire |
 * | no  | none | – | start the next init container, or all containers, that are due, and sidecars that have ended |
 */
export function planPod(pod: PodView): PodPlan {
  if (pod.deleting) return planStop(pod);
  if (pod.stop === "stopping") return { actions: [] };
  if (isOver(pod)) return { actions: !pod.dismissed && pod.inits.some((init) => init.sidecar && init.phase === "running") ? [{ do: "dismiss" }] : [] };
  const { expiresAtMs = Infinity, nowMs } = pod;
  if (nowMs >= expiresAtMs) return { actions: [{ do: "expire" }] };
  const { actions, wakeAtMs = Infinity } = planStart(pod);
  const wake = Math.min(wakeAtMs, expiresAtMs);
  return { actions, ...(wake === Infinity ? {} : { wakeAtMs: wake }) };
}

function planStop({ stop, inits, containers }: PodView): PodPlan {
  if (stop === "none") return { actions: [{ do: "drain" }] };
  if (stop === "draining") return { actions: [] };
  if (![...inits, ...containers].some(({ phase }) => phase === "running")) return { actions: [{ do: "remove" }] };
  return { actions: stop === "drained" ? [{ do: "terminate" }] : [] };
}

const isEnded = ({ phase, dueAtMs }: ContainerView): boolean => phase === "ended" && dueAtMs === undefined;

/** Nothing but sidecars has anything left to do. */
export function isOver({ inits, containers }: Pick<PodView, "inits" | "containers">): boolean {
  if (inits.some((init) => !init.sidecar && isEnded(init) && init.exitCode !== 0)) return true;
  return containers.length > 0 && containers.every(isEnded);
}

function planStart({ inits, containers, nowMs }: PodView): PodPlan {
  const candidates = candidatesOf(inits, containers).filter(({ phase, dueAtMs }) => phase !== "running" && dueAtMs !== undefined);
  const later = candidates.map(({ dueAtMs = 0 }) => dueAtMs).filter((due) => due > nowMs);
  return {
    actions: candidates.filter(({ dueAtMs = 0 }) => dueAtMs <= nowMs).map(({ name }) => ({ do: "start", container: name })),
    ...(later.length === 0 ? {} : { wakeAtMs: Math.min(...later) }),
  };
}

/** Whose turn it is: an init container waits for those before it, until the first of the containers has begun. */
function candidatesOf(inits: readonly ContainerView[], containers: readonly ContainerView[]): readonly ContainerView[] {
  const sidecars = inits.filter(({ sidecar }) => sidecar);
  if (containers.some(({ phase }) => phase !== "waiting")) return [...sidecars, ...containers];
  const isDone = (init: ContainerView): boolean => (init.sidecar ? init.phase === "running" && init.started : init.phase === "ended" && init.exitCode === 0);
  const next = inits.findIndex((init) => !isDone(init));
  if (next < 0) return containers;
  // A sidecar that has ended is started again while those after it are under way, too.
  return inits.slice(0, next + 1).filter((init, index) => init.sidecar || index === next);
}

/** First restart at once, then 10 s, 20 s … 5 min (the kubelet's container backoff). */
export const CRASH_BACKOFF = { baseMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000 } as const;

/** The pause before restart number `crashes` (0 is the first). */
export function crashBackoffMs(crashes: number): number {
  return crashes === 0 ? 0 : Math.min(CRASH_BACKOFF.maxMs, CRASH_BACKOFF.baseMs * 2 ** Math.min(crashes - 1, 20));
}

/** Whether a container that ended starts again. */
export function restarts(policy: string | undefined, exitCode: number, kind: "init" | "sidecar" | "container"): boolean {
  if (kind === "sidecar") return true;
  if (policy === "Never") return false;
  if (kind === "init") return exitCode !== 0;
  return policy === "OnFailure" ? exitCode !== 0 : true;
}

/** A pause as the kubelet writes it: `10s`, `2m40s`. */
export function backoffText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}
