// The shell of one pod: observes, lets the plan decide, starts, probes, stops and reports.
import type { Writable } from "node:stream";
import type { Client } from "#client";
import { isReason, rfc3339, type Clock, type Logger } from "#core";
import type { ImageStore, UnpackedImage } from "#images";
import { Pod, type CoreContainer, type CoreProbe } from "#kinds";
import type { ProcessExit, ProcessSpec, ProcessState } from "#protocol";
import { recordedPorts } from "../addresses.ts";
import { endedRun, exitCodeOf, startedRun, terminatedOf, waitingForImage } from "./container-turns.ts";
import { ContainerInputs } from "./container-inputs.ts";
import { ContainerConfigError, environmentOf, volumeComplaint } from "./environment.ts";
import { KeeperError, type KeeperClient } from "./keeper-client.ts";
import { stillFree } from "./free-port.ts";
import { launchSpec } from "./launch.ts";
import type { PodFolders } from "./pod-folders.ts";
import { timesFileOf } from "./log-times.ts";
import { lastLines } from "./pod-logs.ts";
import { planPod, type ContainerView, type PodAction } from "./pod-plan.ts";
import { PodRecord } from "./pod-record.ts";
import { resumedRun, type ContainerRun, type Terminated } from "./pod-status.ts";
import { probeContainer } from "./probe-container.ts";
import type { ProbeTarget } from "./probes.ts";
import { runCommand } from "./run-command.ts";

export interface WorkerContext {
  readonly client: Client;
  readonly keeper: KeeperClient;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folders: PodFolders;
  readonly path: string;
  /** Host ports of all pods; each worker adds and takes away its own. */
  readonly portsTaken: Set<number>;
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
  /** The process of the container that serves was started; the pod was found at `foundMs`, monotonic milliseconds. */
  readonly onStarted: (pod: Pod, foundMs: number) => void;
  /** Resolves with the exit of a process of the keeper. */
  readonly exitOf: (processId: string) => Promise<ProcessExit | null>;
}

const OUTPUT_BYTES_MAX = 10 << 20;
/** Terminated messages from logs, as the kubelet cuts them. */
const MESSAGE = { lines: 80, bytes: 2048 } as const;
const RETRY_IMAGE_MS = 5_000;
const RETRY_CONFIG_MS = 5_000;
const RETRY_KEEPER_MS = 5_000;
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
  #ports: Readonly<Record<string, number>>;
  readonly #inputs: ContainerInputs;
  #removed = false;
  #dirty = true;
  #resume: () => void = () => {};
  #commands = 0;

  constructor(context: WorkerContext, pod: Pod, adopted: readonly ProcessState[]) {
    this.#context = context;
    this.#pod = pod;
    this.#record = new PodRecord(context, pod.status);
    this.#foundMs = context.clock.monotonicMs();
    this.#ports = recordedPorts(pod);
    this.#inputs = new ContainerInputs((container) => context.folders.inputFifo(pod.metadata.uid, container));
    for (const port of Object.values(this.#ports)) context.portsTaken.add(port);
    const now = { monotonicMs: context.clock.monotonicMs(), wallMs: context.clock.wallMs() };
    const resume = (spec: CoreContainer, init: boolean): ContainerRun =>
      resumedRun({ pod, spec, init, process: adopted.find((state) => state.id === this.#processId(spec.name)), now });
    for (const spec of pod.spec.initContainers ?? []) this.#runs.set(spec.name, resume(spec, true));
    for (const spec of pod.spec.containers) this.#runs.set(spec.name, resume(spec, false));
  }

  get uid(): string {
    return this.#pod.metadata.uid;
  }

  runs(container: string): boolean {
    return this.#runs.get(container)?.phase === "running";
  }

  get pids(): readonly number[] {
    return this.processes.map(({ pid }) => pid);
  }

  /** The first process of each running container. */
  get processes(): readonly { readonly container: string; readonly pid: number }[] {
    return [...this.#runs].flatMap(([container, { phase, identity }]) =>
      phase === "running" && identity !== undefined ? [{ container, pid: identity.pid }] : [],
    );
  }

  update(pod: Pod): void {
    this.#pod = pod;
    this.#wake();
  }

  /** The object was deleted under us. */
  gone(): void {
    this.#objectGone = true;
    if (this.#stop === "none" || this.#stop === "draining") this.#stop = "drained";
    this.#wake();
  }

  /** A gateway connected: the serving container is ready when all it needs is an open port. */
  portOpened(): void {
    const run = [...this.#runs.values()].find((each) => each.spec.ports?.length);
    const probe = run === undefined ? undefined : this.#readinessProbe(run.spec);
    if (run?.phase !== "running" || !run.started || probe === undefined || probe.httpGet !== undefined || probe.exec !== undefined) return;
    this.#setReady(run.spec.name, true);
  }

  /** Ends when the pod is removed, or leaves its processes running when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (const run of this.#runs.values()) if (run.phase === "running") this.#attend(run, signal);
    while (!signal.aborted && !this.#removed) {
      this.#dirty = false;
      const plan = planPod(this.#view());
      for (const action of plan.actions) await this.#act(action, signal);
      if (plan.actions.length > 0) continue;
      const reportAtMs = this.#deleting ? Infinity : await this.#record.report(this.#pod, [...this.#runs.values()], this.#ports);
      await this.#pause(Math.min(plan.wakeAtMs ?? Infinity, reportAtMs), signal);
    }
    for (const probing of this.#probing.values()) probing.abort();
  }

  #processId(container: string): string {
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
    await this.#context.keeper.call({ do: "signal", process: this.#processId(container), signal }).catch((error: unknown) => {
      this.#context.logger.warn("process was not signalled", { pod: this.#pod.metadata.name, container, signal, err: error });
    });
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { client, folders, logger, portsTaken } = this.#context;
    const { namespace = "", name, uid } = this.#pod.metadata;
    for (const port of Object.values(this.#ports)) portsTaken.delete(port);
    await folders.remove(uid).catch((error: unknown) => logger.warn("pod folder was not removed", { pod: name, err: error }));
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
    const { clock, keeper, logger } = this.#context;
    const name = run.spec.name;
    try {
      const image = await this.#image(run);
      if (image === undefined) return;
      const complaint = volumeComplaint(run.spec);
      if (complaint !== undefined) throw new ContainerConfigError(complaint);
      this.#ports = stillFree(this.#ports, run.spec.ports);
      const launch = launchSpec(await this.#launchInput(run, image));
      const input = await this.#inputs.make(run.spec, launch.user);
      const spec = { ...launch, timesFile: timesFileOf(launch.outputFile), ...(input === undefined ? {} : { input }) };
      const { identity } = await keeper.call({ do: "start", process: spec });
      if (identity === undefined) throw new Error("the keeper did not tell the process");
      const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
      const started = startedRun(run, { identity, now, ports: this.#ports, digest: image.digest });
      this.#runs.set(name, started);
      if (started.restarts === 0 && run.spec.ports?.length) this.#context.onStarted(this.#pod, this.#foundMs);
      logger.info("container started", { pod: this.#pod.metadata.name, container: name, pid: identity.pid, restarts: started.restarts });
      this.#attend(started, signal);
      // The order to end came while it was being started.
      if (this.#stop === "stopping") await this.#signal(name, "SIGTERM");
    } catch (error) {
      this.#notStarted(run, error);
    }
  }

  #notStarted(run: ContainerRun, error: unknown): void {
    const { clock, logger } = this.#context;
    const message = (error as Error).message;
    const nowMs = clock.monotonicMs();
    // It may run or not: whoever comes after the keeper's death finds out, and only an end that was seen is a failure.
    if (error instanceof KeeperError && error.reason === "Gone") {
      this.#runs.set(run.spec.name, { ...run, dueAtMs: nowMs + RETRY_KEEPER_MS });
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

  /** The image's files, or undefined after noting why the container waits. */
  async #image(run: ContainerRun): Promise<UnpackedImage | undefined> {
    const { images, clock } = this.#context;
    const image = run.spec.image ?? "";
    const digest = await images.resolve(image);
    if (digest !== undefined) return images.materialize(digest);
    const waiting = waitingForImage(run, image);
    this.#runs.set(run.spec.name, { ...run, waiting, dueAtMs: clock.monotonicMs() + RETRY_IMAGE_MS });
    return undefined;
  }

  async #launchInput(run: ContainerRun, image: UnpackedImage) {
    const { client, folders, path } = this.#context;
    const { uid, namespace = "" } = this.#pod.metadata;
    const { name, ports } = run.spec;
    this.#allocatePorts();
    const start = run.restarts + (run.terminated === undefined ? 0 : 1);
    const port = ports?.[0] === undefined ? undefined : this.#ports[String(ports[0].containerPort)];
    return {
      id: this.#processId(name),
      pod: this.#pod,
      container: run.spec,
      image,
      env: await environmentOf(client, this.#pod, run.spec),
      port,
      ...folders.prepare({ uid, namespace }, name),
      nodePath: folders.nodePath,
      path,
      outputFile: folders.outputFile(uid, name, start),
      outputBytesMax: OUTPUT_BYTES_MAX,
    };
  }

  /** Once a pod; the record is written beside the spawn, not before it. */
  #allocatePorts(): void {
    const { folders, portsTaken } = this.#context;
    const wanted = this.#pod.spec.containers.flatMap((container) => container.ports ?? []).map((port) => String(port.containerPort));
    const missing = wanted.filter((port) => this.#ports[port] === undefined);
    if (missing.length === 0) return;
    const added: Record<string, number> = {};
    for (const port of missing) {
      added[port] = folders.freePort(portsTaken);
      portsTaken.add(added[port]);
    }
    this.#ports = { ...this.#ports, ...added };
    this.#record.addresses(this.#pod, this.#ports);
  }

  /** Waits for the end of a running container and probes it until then. */
  #attend(run: ContainerRun, signal: AbortSignal): void {
    const name = run.spec.name;
    const probing = new AbortController();
    this.#probing.set(name, probing);
    const either = AbortSignal.any([signal, probing.signal]);
    const ended = async (): Promise<void> => {
      const exit = await this.#context.exitOf(this.#processId(name));
      probing.abort();
      if (!signal.aborted) await this.#ended(name, exit);
    };
    void ended().catch((error: unknown) => this.#context.logger.error("end of a container was not noted", { container: name, err: error }));
    void this.#probe(run, either).catch((error: unknown) => {
      if (!either.aborted) this.#context.logger.error("probing ended", { pod: this.#pod.metadata.name, container: name, err: error });
    });
  }

  async #ended(name: string, exit: ProcessExit | null): Promise<void> {
    const run = this.#runs.get(name);
    if (run === undefined) return;
    const { keeper, clock, folders, logger } = this.#context;
    await keeper
      .call({ do: "forget", process: this.#processId(name) })
      .catch((error: unknown) => logger.warn("process was not forgotten", { container: name, err: error }));
    const exitCode = exitCodeOf(exit);
    const fromLogs = exitCode !== 0 && run.spec.terminationMessagePolicy === "FallbackToLogsOnError";
    const message = fromLogs ? await lastLines(folders.outputFile(this.uid, name, run.restarts), MESSAGE) : "";
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
      portOf: (port) => {
        const found =
          ports.find((each) => each.containerPort === Number(port) || each.name === port) ?? (port === 0 || port === "" || port === "0" ? ports[0] : undefined);
        return found === undefined ? Number(port) : (this.#ports[String(found.containerPort)] ?? found.containerPort);
      },
      exec: (argv, timeoutMs, signal) => this.#exec(run, argv, { timeoutMs, signal }),
    };
  }

  /** What runs `argv` beside a container, in its environment, with an id of its own; undefined while the container does not run. */
  async commandSpec(container: string, argv: readonly string[]): Promise<{ readonly spec: ProcessSpec; readonly over: AbortSignal } | undefined> {
    const run = this.#runs.get(container);
    const over = this.#probing.get(container)?.signal;
    if (run?.phase !== "running" || over === undefined) return undefined;
    const digest = await this.#context.images.resolve(run.spec.image ?? "");
    if (digest === undefined) return undefined;
    const input = await this.#launchInput(run, await this.#context.images.materialize(digest));
    const outputFile = this.#context.folders.probeFile(this.uid, container);
    return { spec: launchSpec({ ...input, id: `${input.id}/exec-${++this.#commands}`, argv, outputFile, outputBytesMax: MESSAGE.bytes }), over };
  }

  /** The process of a running container: a signal that aborts with its end, and what opens its input (for containers that ask for one). */
  attach(container: string): { readonly over: AbortSignal; readonly openInput: () => Writable | undefined } | undefined {
    const over = this.#probing.get(container)?.signal;
    if (!this.runs(container) || over === undefined) return undefined;
    return { over, openInput: () => this.#inputs.open(container) };
  }

  async #exec(
    run: ContainerRun,
    argv: readonly string[],
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { keeper, clock, exitOf, logger } = this.#context;
    const command = await this.commandSpec(run.spec.name, argv).catch((error: unknown) =>
      logger.debug("command of a probe was not configured", { container: run.spec.name, err: error }),
    );
    return command === undefined ? false : runCommand({ keeper, clock, exitOf }, command.spec, { timeoutMs, signal });
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
