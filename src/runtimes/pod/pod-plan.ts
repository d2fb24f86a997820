// What has to happen to a pod's processes next. Pure.

/** One container as the plan sees it. */
export interface ContainerView {
  readonly name: string;
  readonly phase: "waiting" | "running" | "ended";
  /** Set when ended. */
  readonly exitCode?: number;
  /** Monotonic time from which it may be started; undefined: never (again). */
  readonly dueAtMs?: number;
}

export interface PodView {
  readonly nowMs: number;
  /** The pod has a deletionTimestamp, or its object is gone. */
  readonly deleting: boolean;
  /** `none` → drain → `drained` → terminate → `stopping`. */
  readonly stop: "none" | "draining" | "drained" | "stopping";
  /** When what still runs is killed; set while stopping. */
  readonly killAtMs?: number;
  /** Run one after the other before the containers. */
  readonly inits: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
}

export type PodAction =
  | { readonly do: "start"; readonly container: string }
  /** Wait for the gateways to let go. */
  | { readonly do: "drain" }
  | { readonly do: "terminate" }
  | { readonly do: "kill" }
  /** Everything has ended: forget processes and files, delete the object. */
  | { readonly do: "remove" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** When to plan again if nothing happens before. */
  readonly wakeAtMs?: number;
}

/**
 * | deleting | stop     | something runs | then |
 * |---|---|---|---|
 * | yes | none     | any | drain |
 * | yes | draining | any | wait  |
 * | yes | drained  | yes | terminate |
 * | yes | drained  | no  | remove |
 * | yes | stopping | yes | kill when due, else wait |
 * | yes | stopping | no  | remove |
 * | no  | –        | –   | next init container, or all containers, that are due |
 */
export function planPod(pod: PodView): PodPlan {
  return pod.deleting ? planStop(pod) : planStart(pod);
}

function planStop({ stop, inits, containers, killAtMs = 0, nowMs }: PodView): PodPlan {
  if (stop === "none") return { actions: [{ do: "drain" }] };
  if (stop === "draining") return { actions: [] };
  const runs = [...inits, ...containers].some((container) => container.phase === "running");
  if (!runs) return { actions: [{ do: "remove" }] };
  if (stop === "drained") return { actions: [{ do: "terminate" }] };
  return nowMs >= killAtMs ? { actions: [{ do: "kill" }] } : { actions: [], wakeAtMs: killAtMs };
}

function planStart({ inits, containers, nowMs }: PodView): PodPlan {
  const init = inits.find((each) => each.phase !== "ended" || each.exitCode !== 0);
  const candidates = (init === undefined ? containers : [init]).filter((each) => each.phase !== "running" && each.dueAtMs !== undefined);
  const later = candidates.map((each) => each.dueAtMs ?? 0).filter((due) => due > nowMs);
  return {
    actions: candidates.filter((each) => (each.dueAtMs ?? 0) <= nowMs).map((each) => ({ do: "start", container: each.name })),
    ...(later.length === 0 ? {} : { wakeAtMs: Math.min(...later) }),
  };
}

/** First restart at once, then 10 s, 20 s … 5 min (the kubelet's container backoff). */
export const CRASH_BACKOFF = { baseMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000 } as const;

/** The pause before restart number `crashes` (0 is the first). */
export function crashBackoffMs(crashes: number): number {
  return crashes === 0 ? 0 : Math.min(CRASH_BACKOFF.maxMs, CRASH_BACKOFF.baseMs * 2 ** Math.min(crashes - 1, 20));
}

/** Whether a container that ended starts again. */
export function restarts(policy: string | undefined, exitCode: number, init: boolean): boolean {
  if (policy === "Never") return false;
  if (init) return exitCode !== 0;
  return policy === "OnFailure" ? exitCode !== 0 : true;
}

/** A pause as the kubelet writes it: `10s`, `2m40s`. */
export function backoffText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}
