// One container of a pod: waits for its image, starts, is probed, ends, and waits to start again. Whether it may start or has to end is the plan's to say.
import { rfc3339, type Clock, type Logger } from "#core";
import type { CoreContainer, CoreProbe, Pod } from "#kinds";
import {
  ContainerConfigError,
  ContainerCreateError,
  EngineGoneError,
  PlaceLostError,
  type ContainerEngine,
  type EngineExit,
  type RunningContainer,
  type RunningIdentity,
} from "../engine.ts";
import { ContainerEnd } from "./container-end.ts";
import type { ContainerStarts } from "./container-starts.ts";
import { endedRun, startedRun, terminatedOf, withoutEngine, withoutImage } from "./container-turns.ts";
import { runHook, type HookTarget, type LifecycleHook } from "./lifecycle-hooks.ts";
import { ImageWaitError, PodSandboxError, type PodEngine } from "./pod-engine.ts";
import { containerEvents, fieldPathOf, type PodEvent } from "./pod-events.ts";
import { lastLines } from "./pod-logs.ts";
import { restarts, type ContainerView } from "./pod-plan.ts";
import { kindOf, type ContainerRun, type Terminated } from "./pod-status.ts";
import { probeContainer } from "./probe-container.ts";
import type { ProbeResult, ProbeTarget } from "./probes.ts";
import { VolumeError } from "./volumes/volume-files.ts";

/** What a container sees of its pod. */
export interface ContainerPod {
  /** As it was seen last. */
  object(): Pod;
  readonly engine: PodEngine;
  readonly starts: ContainerStarts;
  /** It is to go, or is over but for this: nothing starts again. */
  isEnding(): boolean;
  /** Its containers were told to end, and are killed then, monotonic time: one that is still being started is told at once. */
  killAtMs(): number | undefined;
  /** Aborts when nothing is fetched for it any more. */
  readonly leaving: AbortSignal;
  /** Something is different from before: plan and report. */
  changed(): void;
  /** The container with ports was started for the first time. */
  serving(): void;
}

export interface ContainerTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outputFile: (podUid: string, container: string, restarts: number) => string;
  readonly onEvent: (pod: Pod, event: PodEvent) => void;
}

/** Terminated messages from logs, as the kubelet cuts them. */
const MESSAGE = { lines: 80, bytes: 2048 } as const;
const RETRY_CONFIG_MS = 5_000;
const RETRY_VOLUME_MS = 2_000;
const RETRY_SANDBOX_MS = 5_000;
const RETRY_ENGINE_MS = 5_000;
const RETRY_CREATE_MS = 10_000;
export const GRACE_DEFAULT_S = 30;

export class PodContainer {
  readonly #tools: ContainerTools;
  readonly #pod: ContainerPod;
  /** The platform's: when it aborts, what runs is left to the engine. */
  readonly #signal: AbortSignal;
  #run: ContainerRun;
  /** It is being started. */
  #busy = false;
  /** Of the start that runs; aborts with its end. */
  #over: AbortController | undefined;
  /** It was told to end. */
  #end: ContainerEnd | undefined;
  /** Its hook failed; kept until its end. */
  #hookFailure: string | undefined;

  constructor(tools: ContainerTools, pod: ContainerPod, { run, signal }: { readonly run: ContainerRun; readonly signal: AbortSignal }) {
    this.#tools = tools;
    this.#pod = pod;
    this.#run = run;
    this.#signal = signal;
    if (run.phase === "running") this.#attend();
  }

  get run(): ContainerRun {
    return this.#run;
  }

  get name(): string {
    return this.#run.spec.name;
  }

  get runs(): boolean {
    return this.#run.phase === "running";
  }

  get view(): ContainerView {
    const { phase, terminated, dueAtMs, started } = this.#run;
    return {
      name: this.name,
      phase: this.#busy ? "running" : phase,
      sidecar: this.isSidecar,
      started: this.runs && started,
      ...(terminated === undefined ? {} : { exitCode: terminated.exitCode }),
      ...(dueAtMs === undefined ? {} : { dueAtMs }),
    };
  }

  get identity(): RunningIdentity | undefined {
    const { identity } = this.#run;
    return this.runs && identity !== undefined ? { container: this.name, identity } : undefined;
  }

  get isSidecar(): boolean {
    return kindOf(this.#run) === "sidecar";
  }

  /** Resolves when it does not run any more. */
  get ended(): Promise<void> {
    const over = this.#over?.signal;
    if (!this.runs || over === undefined || over.aborted) return Promise.resolve();
    return new Promise((resolve) => over.addEventListener("abort", () => resolve(), { once: true }));
  }

  get #id(): string {
    return `${this.#pod.object().metadata.uid}/${this.name}`;
  }

  /** Returns at once; the pod is told when it runs, or why it does not. */
  start(): void {
    this.#busy = true;
    void this.#start().finally(() => {
      this.#busy = false;
      this.#pod.changed();
    });
  }

  /** Again and again is fine: it may be told to be quicker. `turn` resolves when those have ended that have to before it. */
  end({ killAtMs, turn = Promise.resolve(), event }: { readonly killAtMs: number; readonly turn?: Promise<void>; readonly event?: PodEvent }): void {
    if (!this.runs || this.#over === undefined) return;
    if (this.#end !== undefined) return this.#end.hurry(killAtMs);
    this.#tell(event ?? containerEvents.stopping(this.name));
    const { preStop } = this.#run.spec.lifecycle ?? {};
    this.#end = new ContainerEnd(
      {
        clock: this.#tools.clock,
        preStop: preStop === undefined ? undefined : (signal) => this.#preStop(preStop, signal),
        turn,
        signal: (signal) => this.#signalled(signal),
      },
      killAtMs,
    );
    const over = AbortSignal.any([this.#signal, this.#over.signal]);
    void this.#end.run(over).catch((error: unknown) => this.#tools.logger.error("container was not ended", { container: this.name, err: error }));
  }

  async #signalled(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#pod.engine.engine?.signal(this.#id, signal).catch((error: unknown) => {
      this.#tools.logger.warn("container was not signalled", { pod: this.#pod.object().metadata.name, container: this.name, signal, err: error });
    });
  }

  /** Shown while it waits for its image. */
  imageProgress(message: string): void {
    if (this.#run.phase === "waiting" && this.#busy) this.#change({ waiting: { ...this.#run.waiting, message } });
  }

  /** What its start misses may be there now: it need not wait for its time. */
  retryMounts(): void {
    const { waiting } = this.#run;
    if (waiting.reason === "ContainerCreating" && waiting.message !== undefined && !this.#busy) this.#change({ dueAtMs: this.#tools.clock.monotonicMs() });
  }

  /** A gateway connected: it is ready when all it needs is an open port. */
  portOpened(): void {
    const probe = this.#readinessProbe;
    if (!this.runs || !this.#run.started || probe === undefined || probe.httpGet !== undefined || probe.exec !== undefined || probe.grpc !== undefined) return;
    this.#setReady(true);
  }

  /** Where commands go; undefined while it does not run. */
  get running(): { readonly engine: ContainerEngine; readonly at: RunningContainer } | undefined {
    const run = this.#run;
    const over = this.#over?.signal;
    const { engine } = this.#pod.engine;
    if (!this.runs || run.identity === undefined || over === undefined || engine === undefined) return undefined;
    const start = async () => {
      const opened = await this.#pod.engine.opened(this.#pod.object());
      const imageDigest = run.imageId.slice(run.imageId.lastIndexOf("@") + 1);
      return this.#pod.starts.of(this.#pod.object(), run.spec, { ...opened, restarts: run.restarts, imageDigest });
    };
    return { engine, at: { id: this.#id, pod: this.#pod.object(), container: run.spec, identity: run.identity, over, start } };
  }

  async #start(): Promise<void> {
    const { clock, logger } = this.#tools;
    const run = this.#run;
    const { engine: podEngine, starts } = this.#pod;
    const pod = this.#pod.object();
    try {
      const opened = await podEngine.opened(pod);
      const { engine } = opened;
      const image = await podEngine.image(pod, run.spec, opened);
      if ("waiting" in image) return void (this.#run = withoutImage(run, image, clock.monotonicMs()));
      podEngine.allocate(pod, opened);
      const before = run.restarts + (run.terminated === undefined ? 0 : 1);
      const start = await starts.of(pod, run.spec, { ...opened, restarts: before, imageDigest: image.digest });
      starts.prepare(start);
      const identity = await engine.start(start);
      const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      this.#run = startedRun(run, { identity, now, digest: image.digest });
      if (before === 0 && run.spec.ports?.length) this.#pod.serving();
      logger.info("container started", { pod: pod.metadata.name, container: this.name, id: identity.containerId, restarts: before });
      this.#attend(run.spec.lifecycle?.postStart);
      this.#tell(containerEvents.created(this.name));
      this.#tell(containerEvents.started(this.name));
      // The order to end came while it was being started.
      const killAtMs = this.#pod.killAtMs();
      if (killAtMs !== undefined) this.end({ killAtMs });
    } catch (error) {
      if (!this.#pod.leaving.aborted) this.#notStarted(run, error);
    }
  }

  #notStarted(run: ContainerRun, error: unknown): void {
    const { clock, onEvent } = this.#tools;
    const message = (error as Error).message;
    const nowMs = clock.monotonicMs();
    const waits = (reason: string, retryMs: number): void => void (this.#run = { ...run, waiting: { reason, message }, dueAtMs: nowMs + retryMs });
    // It may run or not: whoever comes after the engine's end finds out, and only an end that was seen is a failure.
    if (error instanceof EngineGoneError) this.#run = { ...run, dueAtMs: nowMs + RETRY_ENGINE_MS };
    else if (error instanceof PlaceLostError) {
      onEvent(this.#pod.object(), { type: "Normal", reason: "SandboxChanged", message: "Pod sandbox changed, it will be killed and re-created." });
      this.#pod.engine.lost();
      this.#run = { ...run, dueAtMs: nowMs };
    } else if (error instanceof ImageWaitError) this.#run = withoutEngine(run, error, nowMs);
    else if (error instanceof PodSandboxError) {
      onEvent(this.#pod.object(), { type: "Warning", reason: "FailedCreatePodSandBox", message: `Failed to create pod sandbox: ${message}` });
      waits("CreatePodSandboxError", RETRY_SANDBOX_MS);
    } else if (error instanceof VolumeError) {
      onEvent(this.#pod.object(), { type: "Warning", reason: "FailedMount", message });
      waits("ContainerCreating", RETRY_VOLUME_MS);
    } else this.#refused(run, error as Error, waits);
  }

  /** What is wrong is the container's own: told in an Event about it. */
  #refused(run: ContainerRun, error: Error, waits: (reason: string, retryMs: number) => void): void {
    const { clock, logger } = this.#tools;
    const { message } = error;
    this.#tell(containerEvents.notStarted(message));
    if (error instanceof ContainerConfigError) return waits("CreateContainerConfigError", RETRY_CONFIG_MS);
    logger.warn("container was not started", { pod: this.#pod.object().metadata.name, container: run.spec.name, err: error });
    if (error instanceof ContainerCreateError) return waits("CreateContainerError", RETRY_CREATE_MS);
    const at = rfc3339(clock.wallMs());
    const terminated = { exitCode: 128, reason: "StartError", message, startedAt: at, finishedAt: at };
    this.#afterEnd(run, terminated, { reason: "RunContainerError", message });
  }

  /** Waits for the end of what runs; until then it is probed, once its hook is done. */
  #attend(postStart?: LifecycleHook): void {
    const { logger } = this.#tools;
    const { engine } = this.#pod.engine;
    const over = new AbortController();
    this.#over = over;
    this.#end = undefined;
    this.#hookFailure = undefined;
    const either = AbortSignal.any([this.#signal, over.signal]);
    const ended = async (): Promise<void> => {
      if (engine === undefined) return;
      const exit = await engine.exitOf(this.#id);
      over.abort();
      if (!this.#signal.aborted) await this.#ended(exit);
    };
    const lives = async (): Promise<void> => {
      if (postStart === undefined || (await this.#postStart(postStart, either))) await this.#probe(either);
    };
    void ended().catch((error: unknown) => logger.error("end of a container was not noted", { container: this.name, err: error }));
    void lives().catch((error: unknown) => {
      if (!either.aborted) logger.error("probing ended", { pod: this.#pod.object().metadata.name, container: this.name, err: error });
    });
  }

  /** Whether it lives on. */
  async #postStart(hook: LifecycleHook, signal: AbortSignal): Promise<boolean> {
    const failure = await runHook(hook, this.#hooked, signal);
    if (failure === undefined) {
      const { settlingIn: _settling, ...rest } = this.#run;
      this.#run = rest;
      this.#pod.changed();
      return true;
    }
    const { metadata, spec } = this.#pod.object();
    this.#tools.logger.warn("hook after the start failed", { pod: metadata.name, container: this.name, reason: failure });
    this.#hookFailure = failure;
    this.#tell(containerEvents.postStartFailed());
    this.end({ killAtMs: this.#afterGrace(spec.terminationGracePeriodSeconds), event: containerEvents.killing("FailedPostStartHook") });
    return false;
  }

  async #preStop(hook: LifecycleHook, signal: AbortSignal): Promise<void> {
    const failure = await runHook(hook, this.#hooked, signal);
    if (failure === undefined) return;
    this.#tools.logger.warn("hook before the end failed", { pod: this.#pod.object().metadata.name, container: this.name, reason: failure });
    this.#tell(containerEvents.preStopFailed());
  }

  get #hooked() {
    const { addressOf } = this.#target;
    const run: HookTarget["run"] = async (argv, limits) => {
      const found = this.running;
      if (found === undefined) throw new Error("the container does not run");
      return found.engine.run(found.at, argv, limits);
    };
    return { pod: this.#pod.object(), container: this.name, target: { clock: this.#tools.clock, addressOf, run } };
  }

  #afterGrace(seconds = GRACE_DEFAULT_S): number {
    return this.#tools.clock.monotonicMs() + seconds * 1000;
  }

  #tell(event: PodEvent): void {
    const pod = this.#pod.object();
    this.#tools.onEvent(pod, { ...event, fieldPath: fieldPathOf(pod, this.name) });
  }

  async #ended(exit: EngineExit | null): Promise<void> {
    const run = this.#run;
    const { clock, outputFile, logger } = this.#tools;
    const { starts, engine } = this.#pod;
    const pod = this.#pod.object();
    await engine.engine?.forget(this.#id).catch((error: unknown) => logger.warn("container was not forgotten", { container: this.name, err: error }));
    const said = await starts.lastWords(pod.metadata.uid, this.name, run.restarts);
    const fromLogs = said === "" && exit?.exitCode !== 0 && run.spec.terminationMessagePolicy === "FallbackToLogsOnError";
    const message = fromLogs ? await lastLines(outputFile(pod.metadata.uid, this.name, run.restarts), MESSAGE) : said;
    const failure = this.#hookFailure === undefined ? undefined : { reason: "PostStartHookError", message: this.#hookFailure };
    this.#afterEnd(run, terminatedOf(run, { exit, message, nowWallMs: clock.wallMs() }), failure);
    this.#pod.changed();
  }

  #afterEnd(run: ContainerRun, terminated: Terminated, failure?: ContainerRun["waiting"]): void {
    const { clock, logger } = this.#tools;
    const pod = this.#pod.object();
    const ending = this.#pod.isEnding();
    this.#run = endedRun(run, { pod, terminated, nowMs: clock.monotonicMs(), ending, failure });
    const { exitCode, reason } = terminated;
    if (!ending) logger.info("container ended", { pod: pod.metadata.name, container: this.name, exitCode, reason });
    if (this.#run.dueAtMs !== undefined && this.#run.waiting.reason === "CrashLoopBackOff") this.#tell(containerEvents.backOff(this.name, pod));
  }

  /** Knative's pods are ready when their port is open; other pods without a probe as soon as they run. */
  get #readinessProbe(): CoreProbe | undefined {
    const { readinessProbe, ports = [] }: CoreContainer = this.#run.spec;
    if (readinessProbe !== undefined) return readinessProbe;
    const isKnative = this.#pod.object().metadata.labels?.["serving.knative.dev/revision"] !== undefined;
    return isKnative && ports.length > 0 ? { tcpSocket: { port: 0 }, periodSeconds: 0 } : undefined;
  }

  #probe(signal: AbortSignal): Promise<void> {
    const { engine, starts } = this.#pod;
    const run = this.#run;
    return probeContainer(
      {
        run,
        readinessProbe: this.#readinessProbe,
        target: this.#target,
        givenPort: () => (engine.place?.sharesPorts === true ? starts.givenPort(run.spec) : undefined),
        clock: this.#tools.clock,
        onStarted: () => this.#change({ started: true }),
        onReady: (ready) => this.#setReady(ready),
        onComplaint: (complaint) => {
          if (!this.#run.ready) this.#change({ complaint });
        },
        onUnhealthy: (probe, failure) => this.#tell(containerEvents.unhealthy(probe, failure)),
        onDead: (probe) => this.#restart(probe),
      },
      signal,
    );
  }

  /** It ends and, by the pod's policy, starts again. */
  #restart(probe: "liveness" | "startup"): void {
    const { metadata, spec } = this.#pod.object();
    const { livenessProbe, startupProbe } = this.#run.spec;
    const own = (probe === "liveness" ? livenessProbe : startupProbe)?.terminationGracePeriodSeconds;
    this.#tools.logger.warn("container is restarted", { pod: metadata.name, container: this.name, reason: `${probe} probe failed` });
    this.#setReady(false);
    const again = restarts(spec.restartPolicy, 1, kindOf(this.#run)) ? ", will be restarted" : "";
    const event = containerEvents.killing(`Container ${this.name} failed ${probe} probe${again}`);
    this.end({ killAtMs: this.#afterGrace(own ?? spec.terminationGracePeriodSeconds), event });
  }

  get #target(): ProbeTarget {
    const { engine } = this.#pod;
    const ports = this.#run.spec.ports ?? [];
    return {
      addressOf: (port) => {
        const found =
          ports.find((each) => each.containerPort === Number(port) || each.name === port) ?? (port === 0 || port === "" || port === "0" ? ports[0] : undefined);
        return engine.addressOf(found?.containerPort ?? Number(port), engine.place ?? { podIP: this.#pod.object().status?.podIP ?? "" });
      },
      exec: (argv, timeoutMs, signal) => this.#exec(argv, { timeoutMs, signal }),
    };
  }

  /** A command that cannot be started or configured has failed. What it says is the failure. */
  async #exec(argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<ProbeResult> {
    const found = this.running;
    if (found === undefined) return "the container does not run";
    try {
      const { exitCode, output } = await found.engine.run(found.at, argv, limits);
      if (exitCode === undefined) return `command timed out: "${argv.join(" ")}" timed out after ${limits.timeoutMs / 1000}s`;
      return exitCode === 0 ? undefined : output;
    } catch (error) {
      this.#tools.logger.debug("command of a probe was not run", { container: this.name, err: error });
      return (error as Error).message;
    }
  }

  #setReady(ready: boolean): void {
    const run = this.#run;
    if (run.ready === ready || (ready && !this.runs)) return;
    if (!ready) return this.#change({ ready });
    const { complaint: _complaint, ...rest } = run;
    this.#run = { ...rest, ready };
    this.#pod.changed();
  }

  #change(change: Partial<ContainerRun>): void {
    this.#run = { ...this.#run, ...change };
    this.#pod.changed();
  }
}
