// The shell of one pod: observes, lets the plan decide, starts, probes, stops and reports.
import type { Client } from "#client";
import { isReason, rfc3339, type Clock, type Logger } from "#core";
import { Pod, type CoreContainer, type CoreProbe } from "#kinds";
import { ContainerConfigError, EngineGoneError, type ContainerEngine, type EngineExit, type RunningContainer, type RunningIdentity } from "../engine.ts";
import type { ContainerUsage } from "../port.ts";
import { ContainerStarts, type StartTools } from "./container-starts.ts";
import { endedRun, startedRun, terminatedOf, withoutEngine, withoutImage } from "./container-turns.ts";
import type { Adopted, FetchImage } from "./engines.ts";
import type { FollowedObjects } from "./followed-objects.ts";
import { ImageWaitError, PodEngine, PodSandboxError } from "./pod-engine.ts";
import { lastLines } from "./pod-logs.ts";
import { planPod, type ContainerView, type PodAction } from "./pod-plan.ts";
import { PodRecord } from "./pod-record.ts";
import { resumedRun, type ContainerRun, type Terminated } from "./pod-status.ts";
import { probeContainer } from "./probe-container.ts";
import type { ProbeTarget } from "./probes.ts";
import { VolumeError } from "./volumes/volume-files.ts";

export interface WorkerContext extends StartTools {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly objects: FollowedObjects;
  /** For a pod that has none yet. Throws PodSandboxError, and what `fetch` throws. */
  readonly chooseEngine: (pod: Pod, fetch: FetchImage) => ContainerEngine | Promise<ContainerEngine>;
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
  /** The container that serves was started; the pod was found at `foundMs`, monotonic milliseconds. */
  readonly onStarted: (pod: Pod, foundMs: number) => void;
  /** For the pod's Events; who takes it counts and limits. */
  readonly onEvent: (pod: Pod, event: PodEvent) => void;
}

/** In the kubelet's words. */
export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** Terminated messages from logs, as the kubelet cuts them. */
const MESSAGE = { lines: 80, bytes: 2048 } as const;
const RETRY_CONFIG_MS = 5_000;
const RETRY_VOLUME_MS = 2_000;
const RETRY_SANDBOX_MS = 5_000;
const RETRY_ENGINE_MS = 5_000;
const RETRY_WRITE_MS = 1_000;
const RETRY_KILL_MS = 1_000;
/** As the kubelet: whatever the drain took, a process gets this long between SIGTERM and SIGKILL. */
const STOP_MS_MIN = 2_000;
const GRACE_DEFAULT_S = 30;

export class PodWorker {
  readonly #context: WorkerContext;
  readonly #runs = new Map<string, ContainerRun>();
  readonly #busy = new Set<string>();
  readonly #probing = new Map<string, AbortController>();
  readonly #record: PodRecord;
  readonly #foundMs: number;
  #pod: Pod;
  #objectGone = false;
  #stop: "none" | "draining" | "drained" | "stopping" = "none";
  #stopBeganMs = 0;
  #killAtMs = 0;
  readonly #engine: PodEngine;
  readonly #starts: ContainerStarts;
  #removed = false;
  /** Aborts when the pod is to go, or the platform: nothing is fetched for it any more. */
  readonly #leaving = new AbortController();
  #dirty = true;
  #resume: () => void = () => {};

  constructor(context: WorkerContext, pod: Pod, adopted: Adopted | undefined) {
    this.#context = context;
    this.#pod = pod;
    this.#record = new PodRecord(context, pod.status);
    this.#foundMs = context.clock.monotonicMs();
    const record: PodRecord["given"] = (...given) => this.#record.given(...given);
    this.#engine = new PodEngine({ engine: adopted?.engine, choose: context.chooseEngine, leaving: this.#leaving.signal, record }, pod);
    this.#starts = new ContainerStarts(context, this.#engine, pod);
    const now = { monotonicMs: context.clock.monotonicMs(), wallMs: context.clock.wallMs() };
    const resume = (spec: CoreContainer, init: boolean): ContainerRun =>
      resumedRun({ pod, spec, init, found: adopted?.containers.find((each) => each.id === this.#id(spec.name)), now });
    for (const spec of pod.spec.initContainers ?? []) this.#runs.set(spec.name, resume(spec, true));
    for (const spec of pod.spec.containers) this.#runs.set(spec.name, resume(spec, false));
  }

  get uid(): string {
    return this.#pod.metadata.uid;
  }

  runs(container: string): boolean {
    return this.#runs.get(container)?.phase === "running";
  }

  /** Of the first process of each running container, where there is one on this machine. */
  get pids(): readonly number[] {
    return this.#running.flatMap(({ identity: { pid } }) => (pid === undefined ? [] : [pid]));
  }

  get #running(): readonly RunningIdentity[] {
    return [...this.#runs].flatMap(([container, { phase, identity }]) => (phase === "running" && identity !== undefined ? [{ container, identity }] : []));
  }

  /** A row for each running container; undefined where nobody can tell. */
  usage(): Promise<readonly ContainerUsage[] | undefined> {
    return this.#engine.engine?.usage(this.#pod, this.#running) ?? Promise.resolve(undefined);
  }

  update(pod: Pod): void {
    this.#pod = pod;
    void this.#starts.volumes.update(pod);
    this.#wake();
  }

  /** The object was deleted under us. */
  gone(): void {
    this.#objectGone = true;
    if (this.#stop === "none" || this.#stop === "draining") this.#stop = "drained";
    this.#leaving.abort();
    this.#wake();
  }

  /** Shown while a container waits for its image. */
  imageProgress(container: string, message: string): void {
    const run = this.#runs.get(container);
    if (run?.phase === "waiting" && this.#busy.has(container)) this.#change(container, { waiting: { ...run.waiting, message } });
  }

  /** A gateway connected: the serving container is ready when all it needs is an open port. */
  portOpened(): void {
    const run = [...this.#runs.values()].find((each) => each.spec.ports?.length);
    const probe = run === undefined ? undefined : this.#readinessProbe(run.spec);
    if (run?.phase !== "running" || !run.started || probe === undefined || probe.httpGet !== undefined || probe.exec !== undefined || probe.grpc !== undefined)
      return;
    this.#setReady(run.spec.name, true);
  }

  /** Ends when the pod is removed, or leaves its containers running when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const leave = (): void => this.#leaving.abort();
    signal.addEventListener("abort", leave, { once: true });
    if (!this.#deleting || this.#somethingRuns) void this.#open();
    const unfollow = this.#follow(signal);
    for (const run of this.#runs.values()) if (run.phase === "running") this.#attend(run, signal);
    while (!signal.aborted && !this.#removed) {
      this.#dirty = false;
      const tokensDueMs = this.#renewTokens();
      const plan = planPod(this.#view());
      for (const action of plan.actions) await this.#act(action, signal);
      if (plan.actions.length > 0) continue;
      const reportAtMs = this.#deleting ? Infinity : await this.#record.report(this.#pod, [...this.#runs.values()], this.#engine.place);
      await this.#pause(Math.min(plan.wakeAtMs ?? Infinity, reportAtMs, tokensDueMs), signal);
    }
    for (const probing of this.#probing.values()) probing.abort();
    signal.removeEventListener("abort", leave);
    unfollow();
  }

  /** Mounted objects that change are mounted anew, and a container that waits for one need not wait for its time. */
  #follow(signal: AbortSignal): () => void {
    const { namespace = "" } = this.#pod.metadata;
    const followed = this.#starts.volumes.followed.map((object) => ({ ...object, namespace }));
    if (followed.length === 0) return () => undefined;
    const onChange = (object: { readonly kind: "ConfigMap" | "Secret"; readonly name: string }): void => {
      void this.#starts.volumes.follow(object.kind, object.name);
      const nowMs = this.#context.clock.monotonicMs();
      for (const [name, run] of this.#runs) {
        if (run.waiting.reason === "ContainerCreating" && run.waiting.message !== undefined && !this.#busy.has(name)) this.#change(name, { dueAtMs: nowMs });
      }
    };
    return this.#context.objects.follow(followed, onChange, signal);
  }

  /** Mints those that are due again; answers when the next one is, monotonic time. */
  #renewTokens(): number {
    const { clock } = this.#context;
    const { volumes } = this.#starts;
    const leftMs = volumes.tokensDueMs - clock.wallMs();
    if (leftMs > 0) return clock.monotonicMs() + leftMs;
    void volumes.renewTokens().then(() => this.#wake());
    return Infinity;
  }

  get #somethingRuns(): boolean {
    return [...this.#runs.values()].some((run) => run.phase === "running");
  }

  /** What fails here is told by the first start that needs it. */
  async #open(): Promise<void> {
    await this.#engine.opened(this.#pod).catch(() => undefined);
    this.#wake();
  }

  #id(container: string): string {
    return `${this.#pod.metadata.uid}/${container}`;
  }

  #view() {
    const views = (init: boolean): ContainerView[] =>
      [...this.#runs.values()]
        .filter((run) => run.init === init)
        .map((run) => ({
          name: run.spec.name,
          phase: this.#busy.has(run.spec.name) ? "running" : run.phase,
          ...(run.terminated === undefined ? {} : { exitCode: run.terminated.exitCode }),
          ...(run.dueAtMs === undefined ? {} : { dueAtMs: run.dueAtMs }),
        }));
    return {
      nowMs: this.#context.clock.monotonicMs(),
      deleting: this.#deleting,
      stop: this.#stop,
      killAtMs: this.#killAtMs,
      inits: views(true),
      containers: views(false),
    };
  }

  get #deleting(): boolean {
    return this.#objectGone || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  async #act(action: PodAction, signal: AbortSignal): Promise<void> {
    switch (action.do) {
      case "start": {
        const run = this.#runs.get(action.container);
        if (run === undefined) return;
        this.#busy.add(action.container);
        void this.#start(run, signal).finally(() => {
          this.#busy.delete(action.container);
          this.#wake();
        });
        return;
      }
      case "drain":
        this.#stop = "draining";
        this.#leaving.abort();
        this.#stopBeganMs = this.#context.clock.monotonicMs();
        void this.#drain(signal);
        return;
      case "terminate":
        this.#stop = "stopping";
        this.#killAtMs = Math.max(this.#stopBeganMs + this.#graceMs, this.#context.clock.monotonicMs() + (this.#objectGone ? 0 : STOP_MS_MIN));
        await this.#signalAll("SIGTERM");
        return;
      case "kill":
        this.#killAtMs = this.#context.clock.monotonicMs() + RETRY_KILL_MS;
        await this.#signalAll("SIGKILL");
        return;
      case "remove":
        await this.#remove(signal);
        return;
    }
  }

  get #graceMs(): number {
    if (this.#objectGone && this.#stopBeganMs === 0) return STOP_MS_MIN;
    return (this.#pod.metadata.deletionGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_S) * 1000;
  }

  /** The gateways let go of the pod; however long they take, the grace bounds it. */
  async #drain(signal: AbortSignal): Promise<void> {
    const { clock, beforeStop, logger } = this.#context;
    const { namespace = "", name, uid } = this.#pod.metadata;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const limit = clock.sleep(this.#graceMs, either).catch(() => undefined);
    const drained = beforeStop({ namespace, name, uid }, either).catch((error: unknown) => logger.warn("pod was not drained", { pod: name, err: error }));
    await Promise.race([drained, limit]);
    over.abort();
    if (this.#stop === "draining") this.#stop = "drained";
    this.#wake();
  }

  async #signalAll(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    for (const run of this.#runs.values()) if (run.phase === "running") await this.#signal(run.spec.name, signal);
  }

  async #signal(container: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#engine.engine?.signal(this.#id(container), signal).catch((error: unknown) => {
      this.#context.logger.warn("container was not signalled", { pod: this.#pod.metadata.name, container, signal, err: error });
    });
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#context;
    const { namespace = "", name, uid } = this.#pod.metadata;
    await this.#starts.volumes.remove().catch((error: unknown) => logger.warn("volumes were not removed", { pod: name, err: error }));
    await this.#engine.close(this.#pod).catch((error: unknown) => logger.warn("what the pod had was not removed", { pod: name, err: error }));
    try {
      if (!this.#objectGone) await client.delete(Pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) {
        logger.warn("pod was not deleted", { pod: name, err: error });
        await this.#context.clock.sleep(RETRY_WRITE_MS, signal).catch(() => undefined);
        return;
      }
    }
    this.#removed = true;
  }

  async #start(run: ContainerRun, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#context;
    const name = run.spec.name;
    try {
      const opened = await this.#engine.opened(this.#pod);
      const { engine } = opened;
      const image = await this.#engine.image(this.#pod, run.spec, opened);
      if ("waiting" in image) return void this.#runs.set(name, withoutImage(run, image, clock.monotonicMs()));
      this.#engine.allocate(this.#pod, opened);
      const restarts = run.restarts + (run.terminated === undefined ? 0 : 1);
      const start = await this.#starts.of(this.#pod, run.spec, { ...opened, restarts, imageDigest: image.digest });
      this.#starts.prepare(start);
      const identity = await engine.start(start);
      const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      const started = startedRun(run, { identity, now, digest: image.digest });
      this.#runs.set(name, started);
      if (started.restarts === 0 && run.spec.ports?.length) this.#context.onStarted(this.#pod, this.#foundMs);
      logger.info("container started", { pod: this.#pod.metadata.name, container: name, id: identity.containerId, restarts });
      this.#attend(started, signal);
      // The order to end came while it was being started.
      if (this.#stop === "stopping") await this.#signal(name, "SIGTERM");
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#notStarted(run, error);
    }
  }

  #notStarted(run: ContainerRun, error: unknown): void {
    const { clock, logger } = this.#context;
    const message = (error as Error).message;
    const nowMs = clock.monotonicMs();
    // It may run or not: whoever comes after the engine's end finds out, and only an end that was seen is a failure.
    if (error instanceof EngineGoneError) {
      this.#runs.set(run.spec.name, { ...run, dueAtMs: nowMs + RETRY_ENGINE_MS });
      return;
    }
    if (error instanceof ImageWaitError) return void this.#runs.set(run.spec.name, withoutEngine(run, error, nowMs));
    if (error instanceof PodSandboxError) {
      this.#runs.set(run.spec.name, { ...run, waiting: { reason: "CreatePodSandboxError", message }, dueAtMs: nowMs + RETRY_SANDBOX_MS });
      return;
    }
    if (error instanceof VolumeError) {
      this.#context.onEvent(this.#pod, { type: "Warning", reason: "FailedMount", message });
      this.#runs.set(run.spec.name, { ...run, waiting: { reason: "ContainerCreating", message }, dueAtMs: nowMs + RETRY_VOLUME_MS });
      return;
    }
    if (error instanceof ContainerConfigError) {
      this.#runs.set(run.spec.name, { ...run, waiting: { reason: "CreateContainerConfigError", message }, dueAtMs: nowMs + RETRY_CONFIG_MS });
      return;
    }
    logger.warn("container was not started", { pod: this.#pod.metadata.name, container: run.spec.name, err: error });
    const at = rfc3339(clock.wallMs());
    this.#afterEnd(run, { exitCode: 128, reason: "StartError", message, startedAt: at, finishedAt: at });
  }

  /** Waits for the end of a running container and probes it until then. */
  #attend(run: ContainerRun, signal: AbortSignal): void {
    const name = run.spec.name;
    const probing = new AbortController();
    this.#probing.set(name, probing);
    const either = AbortSignal.any([signal, probing.signal]);
    const engine = this.#engine.engine;
    const ended = async (): Promise<void> => {
      if (engine === undefined) return;
      const exit = await engine.exitOf(this.#id(name));
      probing.abort();
      if (!signal.aborted) await this.#ended(name, exit);
    };
    void ended().catch((error: unknown) => this.#context.logger.error("end of a container was not noted", { container: name, err: error }));
    void this.#probe(run, either).catch((error: unknown) => {
      if (!either.aborted) this.#context.logger.error("probing ended", { pod: this.#pod.metadata.name, container: name, err: error });
    });
  }

  async #ended(name: string, exit: EngineExit | null): Promise<void> {
    const run = this.#runs.get(name);
    if (run === undefined) return;
    const { clock, outputFile, logger } = this.#context;
    await this.#engine.engine?.forget(this.#id(name)).catch((error: unknown) => logger.warn("container was not forgotten", { container: name, err: error }));
    const said = await this.#starts.lastWords(this.uid, name, run.restarts);
    const fromLogs = said === "" && exit?.exitCode !== 0 && run.spec.terminationMessagePolicy === "FallbackToLogsOnError";
    const message = fromLogs ? await lastLines(outputFile(this.uid, name, run.restarts), MESSAGE) : said;
    this.#afterEnd(run, terminatedOf(run, { exit, message, nowWallMs: clock.wallMs() }));
    this.#wake();
  }

  #afterEnd(run: ContainerRun, terminated: Terminated): void {
    const { clock, logger } = this.#context;
    const deleting = this.#deleting;
    this.#runs.set(run.spec.name, endedRun(run, { pod: this.#pod, terminated, nowMs: clock.monotonicMs(), deleting }));
    const { exitCode, reason } = terminated;
    if (!deleting) logger.info("container ended", { pod: this.#pod.metadata.name, container: run.spec.name, exitCode, reason });
  }

  /** Knative's pods are ready when their port is open; other pods without a probe as soon as they run. */
  #readinessProbe(container: CoreContainer): CoreProbe | undefined {
    if (container.readinessProbe !== undefined) return container.readinessProbe;
    const isKnative = this.#pod.metadata.labels?.["serving.knative.dev/revision"] !== undefined;
    return isKnative && (container.ports ?? []).length > 0 ? { tcpSocket: { port: 0 }, periodSeconds: 0 } : undefined;
  }

  #probe(run: ContainerRun, signal: AbortSignal): Promise<void> {
    const { name } = run.spec;
    return probeContainer(
      {
        run,
        readinessProbe: this.#readinessProbe(run.spec),
        target: this.#target(run),
        givenPort: () => (this.#engine.place?.sharesPorts === true ? this.#starts.givenPort(run.spec) : undefined),
        clock: this.#context.clock,
        onStarted: () => this.#change(name, { started: true }),
        onReady: (ready) => this.#setReady(name, ready),
        onComplaint: (complaint) => {
          if (this.#runs.get(name)?.ready === false) this.#change(name, { complaint });
        },
        onDead: (why) => this.#restart(name, why, signal),
      },
      signal,
    );
  }

  /** Liveness or startup failed: the container ends and, by the pod's policy, starts again. */
  async #restart(name: string, why: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#context;
    logger.warn("container is restarted", { pod: this.#pod.metadata.name, container: name, reason: why });
    this.#setReady(name, false);
    await this.#signal(name, "SIGTERM");
    await clock.sleep((this.#pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_S) * 1000, signal);
    await this.#signal(name, "SIGKILL");
  }

  #target(run: ContainerRun): ProbeTarget {
    const ports = run.spec.ports ?? [];
    return {
      addressOf: (port) => {
        const found =
          ports.find((each) => each.containerPort === Number(port) || each.name === port) ?? (port === 0 || port === "" || port === "0" ? ports[0] : undefined);
        return this.#engine.addressOf(found?.containerPort ?? Number(port), this.#engine.place ?? { podIP: this.#pod.status?.podIP ?? "" });
      },
      exec: (argv, timeoutMs, signal) => this.#exec(run, argv, { timeoutMs, signal }),
    };
  }

  /** Where commands of a running container go; undefined while it does not run. */
  running(container: string): { readonly engine: ContainerEngine; readonly at: RunningContainer } | undefined {
    const run = this.#runs.get(container);
    const over = this.#probing.get(container)?.signal;
    const { engine } = this.#engine;
    if (run?.phase !== "running" || run.identity === undefined || over === undefined || engine === undefined) return undefined;
    const start = async () => {
      const opened = await this.#engine.opened(this.#pod);
      return this.#starts.of(this.#pod, run.spec, { ...opened, restarts: run.restarts, imageDigest: run.imageId.slice(run.imageId.lastIndexOf("@") + 1) });
    };
    return { engine, at: { id: this.#id(container), pod: this.#pod, container: run.spec, identity: run.identity, over, start } };
  }

  /** A command that cannot be started or configured has failed. */
  async #exec(
    run: ContainerRun,
    argv: readonly string[],
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { logger } = this.#context;
    const found = this.running(run.spec.name);
    if (found === undefined) return false;
    try {
      return (await found.engine.run(found.at, argv, { timeoutMs, signal })).exitCode === 0;
    } catch (error) {
      logger.debug("command of a probe was not run", { container: run.spec.name, err: error });
      return false;
    }
  }

  #setReady(name: string, ready: boolean): void {
    const run = this.#runs.get(name);
    if (run === undefined || run.ready === ready || (ready && run.phase !== "running")) return;
    if (!ready) return this.#change(name, { ready });
    const { complaint: _complaint, ...rest } = run;
    this.#runs.set(name, { ...rest, ready });
    this.#wake();
  }

  #change(name: string, change: Partial<ContainerRun>): void {
    const run = this.#runs.get(name);
    if (run === undefined) return;
    this.#runs.set(name, { ...run, ...change });
    this.#wake();
  }

  /** Something happened: plan again, also when that is under way just now. */
  #wake(): void {
    this.#dirty = true;
    this.#resume();
  }

  /** Until something happens, or `untilMs`. */
  async #pause(untilMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const { clock } = this.#context;
    const woken = new Promise<void>((resolve) => {
      this.#resume = resolve;
      if (this.#dirty) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true, signal: over.signal });
    });
    const ms = untilMs - clock.monotonicMs();
    await (ms === Infinity ? woken : Promise.race([woken, clock.sleep(Math.max(0, ms), over.signal).catch(() => undefined)]));
    over.abort();
  }
}
