// All probes of one start of a container: startup first, then readiness and liveness side by side.
import type { Clock } from "#core";
import type { CoreProbe } from "#kinds";
import { listeningPorts } from "./listening-ports.ts";
import type { ContainerRun } from "./pod-status.ts";
import { DEFAULT_PERIOD_S, probeReadiness, probeUntilDead, type ProbeResult, type ProbeTarget } from "./probes.ts";

export interface ProbedContainer {
  readonly run: ContainerRun;
  /** Undefined: ready as soon as it has started. */
  readonly readinessProbe: CoreProbe | undefined;
  readonly target: ProbeTarget;
  /** The port of the machine that its program was told to use; undefined when it uses its own. */
  readonly givenPort: () => number | undefined;
  readonly clock: Clock;
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  /** It runs and will not become ready as it is. */
  readonly onComplaint: (complaint: NonNullable<ContainerRun["complaint"]>) => void;
  /** As often as the probe's period, not while a program may still be on its way up. */
  readonly onUnhealthy: (probe: "Liveness" | "Readiness" | "Startup", failure: string) => void;
  /** Liveness or startup failed for good. */
  readonly onDead: (probe: "liveness" | "startup") => void;
}

/** A program that has not opened its port by then is looked at, and again after as long. */
const LOOK_AT_PORTS_MS = 2_000;

/** Runs until the signal aborts or the container is dead; rejects with the signal's reason when it aborts. */
export async function probeContainer(container: ProbedContainer, signal: AbortSignal): Promise<void> {
  const { run, readinessProbe, target, clock, onStarted, onReady, onUnhealthy, onDead } = container;
  const { startupProbe, livenessProbe } = run.spec;
  if (startupProbe !== undefined && !run.started) {
    const onFailure = (failure: string): void => onUnhealthy("Startup", failure);
    const failure = await probeUntilDead({ probe: startupProbe, target, clock, onFailure }, "startup", signal);
    if (failure !== undefined) return onDead("startup");
  }
  onStarted();
  if (readinessProbe === undefined) onReady(true);
  await Promise.all([
    readinessProbe === undefined ? undefined : watchReadiness(container, readinessProbe, signal),
    livenessProbe === undefined
      ? undefined
      : probeUntilDead({ probe: livenessProbe, target, clock, onFailure: (failure) => onUnhealthy("Liveness", failure) }, "liveness", signal).then(() =>
          onDead("liveness"),
        ),
  ]);
}

function watchReadiness(
  { run, target, givenPort, clock, onReady, onUnhealthy, onComplaint }: ProbedContainer,
  probe: CoreProbe,
  signal: AbortSignal,
): Promise<void> {
  let lookAtMs = clock.monotonicMs() + LOOK_AT_PORTS_MS;
  const tellEveryMs = Math.max(1, probe.periodSeconds ?? DEFAULT_PERIOD_S) * 1000;
  let tellAtMs = clock.monotonicMs() + Math.max(tellEveryMs, (probe.initialDelaySeconds ?? 0) * 1000);
  const report = (ready: boolean, failure: ProbeResult): void => {
    onReady(ready);
    const nowMs = clock.monotonicMs();
    // It is asked more often than the kubelet would while it comes up: that is told no more often than the kubelet would.
    if (failure !== undefined && (ready || nowMs >= tellAtMs)) {
      tellAtMs = nowMs + tellEveryMs;
      onUnhealthy("Readiness", failure);
    }
    if (ready || nowMs < lookAtMs) return;
    lookAtMs = nowMs + LOOK_AT_PORTS_MS;
    void portComplaint(run, givenPort()).then((message) => {
      if (message !== undefined) onComplaint({ reason: "PortIgnored", message });
    });
  };
  return probeReadiness({ probe, target, clock }, report, signal);
}

/** A program that listens elsewhere will never be ready: said where people look. */
async function portComplaint({ identity }: ContainerRun, wanted: number | undefined): Promise<string | undefined> {
  if (wanted === undefined || identity?.pid === undefined) return undefined;
  const open = await listeningPorts(identity.pid);
  if (open.length === 0 || open.includes(wanted)) return undefined;
  return `the program listens on port ${open.join(", ")} and not on $PORT, which is ${wanted}: a process shares the machine's ports, so it has to use the one it is given`;
}
