// The turns in a container's life: started, ended, waiting for its image. Pure.
import { rfc3339 } from "#core";
import type { Pod } from "#kinds";
import type { EngineExit, EngineIdentity, ImageWaiting } from "../engine.ts";
import type { ImageWaitError } from "./pod-engine.ts";
import { backoffText, CRASH_BACKOFF, crashBackoffMs, restarts } from "./pod-plan.ts";
import { kindOf, type ContainerRun, type Terminated } from "./pod-status.ts";

export interface Started {
  readonly identity: EngineIdentity;
  readonly now: { readonly monotonicMs: number; readonly wallMs: number };
  readonly digest: string;
}

export function startedRun(run: ContainerRun, { identity, now, digest }: Started): ContainerRun {
  const { dueAtMs: _due, terminated, complaint: _complaint, ...rest } = run;
  const hooked = run.spec.lifecycle?.postStart !== undefined;
  return {
    ...rest,
    phase: "running",
    identity,
    startedAtMs: now.monotonicMs,
    startedAtWallMs: now.wallMs,
    restarts: run.restarts + (terminated === undefined ? 0 : 1),
    ...(terminated === undefined ? {} : { last: terminated }),
    ...(hooked ? { settlingIn: true } : {}),
    started: run.spec.startupProbe === undefined && !hooked,
    ready: false,
    imageId: `${run.spec.image?.split("@")[0] ?? ""}@${digest}`,
  };
}

export interface Ended {
  readonly pod: Pod;
  readonly terminated: Terminated;
  readonly nowMs: number;
  /** Nothing of the pod starts again. */
  readonly ending: boolean;
  /** Why it did not come to run, if it did not: shown until it starts again, unless that takes its time. */
  readonly failure?: ContainerRun["waiting"] | undefined;
}

/** The kubelet tries what did not start again when it next looks. */
const RETRY_START_MS = 1_000;

/** By the pod's policy it starts again after the backoff: at once after the first end, and after one that followed a long run. */
export function endedRun(run: ContainerRun, { pod, terminated, nowMs, ending, failure }: Ended): ContainerRun {
  const { name, namespace = "", uid } = pod.metadata;
  const lasted = run.phase === "running" && nowMs - (run.startedAtMs ?? nowMs) >= CRASH_BACKOFF.resetAfterMs;
  const crashes = lasted ? 0 : run.crashes;
  const delayMs = crashBackoffMs(crashes);
  const again = !ending && restarts(pod.spec.restartPolicy, terminated.exitCode, kindOf(run));
  const text = `back-off ${backoffText(delayMs)} restarting failed container=${run.spec.name} pod=${name}_${namespace}(${uid})`;
  const { dueAtMs: _due, complaint: _complaint, settlingIn: _settling, ...rest } = run;
  return {
    ...rest,
    phase: "ended",
    terminated,
    restarts: run.restarts + (run.phase !== "running" && run.terminated !== undefined ? 1 : 0),
    crashes: crashes + 1,
    ready: false,
    started: false,
    waiting: delayMs === 0 ? (failure ?? { reason: "ContainerCreating" }) : { reason: "CrashLoopBackOff", message: text },
    ...(again ? { dueAtMs: nowMs + (failure === undefined ? delayMs : Math.max(delayMs, RETRY_START_MS)) } : {}),
  };
}

/** As the kubelet has it for an end that nobody saw. */
const UNKNOWN_EXIT_CODE = 137;

export function terminatedOf(
  run: ContainerRun,
  { exit, message, nowWallMs }: { readonly exit: EngineExit | null; readonly message: string; readonly nowWallMs: number },
): Terminated {
  const exitCode = exit?.exitCode ?? UNKNOWN_EXIT_CODE;
  const startedAtWallMs = exit?.startedAtWallMs ?? run.startedAtWallMs;
  return {
    exitCode,
    reason: exit === null ? "ContainerStatusUnknown" : exit.oomKilled ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error",
    ...(message === "" ? {} : { message }),
    ...(startedAtWallMs === undefined ? {} : { startedAt: rfc3339(startedAtWallMs) }),
    finishedAt: rfc3339(exit?.atWallMs ?? nowWallMs),
    ...(run.identity === undefined ? {} : { containerID: run.identity.containerId }),
  };
}

const RETRY_IMAGE_MS = 5_000;

/** It is asked for again at its time. */
export function withoutImage(run: ContainerRun, { waiting, retryAtMs }: ImageWaiting, nowMs: number): ContainerRun {
  return { ...run, waiting: retryAtMs === undefined ? waitingForImage(run, waiting) : waiting, dueAtMs: retryAtMs ?? nowMs + RETRY_IMAGE_MS };
}

/**
 * The pod has no engine before the image of one of its containers is here. That one says so, and an init container, whose turn is before the others'; beside it
 * the others are being created.
 */
export function withoutEngine(run: ContainerRun, { container, answer }: ImageWaitError, nowMs: number): ContainerRun {
  const waits = withoutImage(run, answer, nowMs);
  return run.init || run.spec.name === container ? waits : { ...waits, waiting: { reason: "ContainerCreating" } };
}

/** In the kubelet's words: an error the first time, a back-off from then on. */
function waitingForImage(run: ContainerRun, answer: ContainerRun["waiting"]): ContainerRun["waiting"] {
  const before = run.waiting.reason === "ErrImagePull" || run.waiting.reason === "ImagePullBackOff";
  if (answer.reason !== "ErrImagePull" || !before) return answer;
  return { reason: "ImagePullBackOff", message: `Back-off pulling image "${run.spec.image ?? ""}": ErrImagePull: ${answer.message ?? ""}` };
}
