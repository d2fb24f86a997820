// The shell of one pod: observes, lets the plan decide, passes that on to its containers, and reports.
import type { Client } from "#client";
import { isReason, type Clock, type Logger } from "#core";
import { Pod, type CoreContainer } from "#kinds";
import type { ContainerEngine, RunningContainer } from "../engine.ts";
import type { ContainerUsage } from "../port.ts";
import { ContainerStarts, type StartTools } from "./container-starts.ts";
import type { Adopted, FetchImage } from "./engines.ts";
import type { FollowedObjects } from "./followed-objects.ts";
import { GRACE_DEFAULT_S, PodContainer, type ContainerPod, type ContainerTools } from "./pod-container.ts";
import { PodEngine } from "./pod-engine.ts";
import { DEADLINE_EXCEEDED, evicted, scheduledEvent, type CutShort } from "./pod-events.ts";
import { planPod, type PodAction, type PodView } from "./pod-plan.ts";
import { PodRecord } from "./pod-record.ts";
import { resumedRun } from "./pod-status.ts";
import type { LimitedVolume } from "./volumes/volume-scanner.ts";

export interface WorkerContext extends StartTools, ContainerTools {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly objects: FollowedObjects;
  /** For a pod that has none yet. Throws PodSandboxError, and what `fetch` throws. */
  readonly chooseEngine: (pod: Pod, fetch: FetchImage) => ContainerEngine | Promise<ContainerEngine>;
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
  /** The container that serves was started; the pod was found at `foundMs`, monotonic milliseconds. */
  readonly onStarted: (pod: Pod, foundMs: number) => void;
}

const RETRY_WRITE_MS = 1_000;
/** For a pod whose object vanished: nobody said how long its containers may take. */
const GRACE_GONE_MS = 2_000;
/** As the kubelet gives it. */
const GRACE_EVICTED_MS = 1_000;

export class PodWorker {
  readonly #context: WorkerContext;
  readonly #containers: readonly PodContainer[];
  readonly #record: PodRecord;
  readonly #foundMs: number;
  /** The platform's: when it aborts, containers run on. */
  readonly #signal: AbortSignal;
  #pod: Pod;
  #objectGone = false;
  #stop: PodView["stop"] = "none";
  /** When the stop began, monotonic time. */
  #stopBeganMs: number | undefined;
  #dismissed = false;
  /** It takes more than it may. */
  #eviction: CutShort | undefined;
  /** Why it was ended before its time. */
  #cutShort: CutShort | undefined;
  /** What `activeDeadlineSeconds` counts from, monotonic time. */
  readonly #activeSinceMs: number;
  readonly #engine: PodEngine;
  readonly #starts: ContainerStarts;
  #removed = false;
  /** Aborts when the pod is to go, or the platform: nothing is fetched for it any more. */
  readonly #leaving = new AbortController();
  #dirty = true;
  #resume: () => void = () => {};

  constructor(context: WorkerContext, pod: Pod, { adopted, signal }: { readonly adopted: Adopted | undefined; readonly signal: AbortSignal }) {
    this.#context = context;
    this.#pod = pod;
    this.#signal = signal;
    this.#record = new PodRecord(context, pod.status);
    this.#foundMs = context.clock.monotonicMs();
    const activeMs = context.clock.wallMs() - (Date.parse(pod.status?.startTime ?? "") || context.clock.wallMs());
    this.#activeSinceMs = this.#foundMs - Math.max(0, activeMs);
    const record: PodRecord["given"] = (...given) => this.#record.given(...given);
    this.#engine = new PodEngine({ engine: adopted?.engine, choose: context.chooseEngine, leaving: this.#leaving.signal, record }, pod);
    this.#starts = new ContainerStarts(context, this.#engine, pod);
    this.#containers = this.#resumed(adopted);
  }

  #resumed(adopted: Adopted | undefined): readonly PodContainer[] {
    const { clock } = this.#context;
    const pod = this.#pod;
    const now = { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
    const seen = this.#seen();
    const resume = (init: boolean) => (spec: CoreContainer) => {
      const found = adopted?.containers.find((each) => each.id === `${pod.metadata.uid}/${spec.name}`);
      return new PodContainer(this.#context, seen, { run: resumedRun({ pod, spec, init, found, now }), signal: this.#signal });
    };
    return [...(pod.spec.initContainers ?? []).map(resume(true)), ...pod.spec.containers.map(resume(false))];
  }

  /** What the containers see of the pod. */
  #seen(): ContainerPod {
    return {
      engine: this.#engine,
      starts: this.#starts,
      leaving: this.#leaving.signal,
      object: () => this.#pod,
      isEnding: () => this.#isEnding,
      killAtMs: () => (this.#stop === "stopping" ? this.#killAtMs : undefined),
      changed: () => this.#wake(),
      serving: () => this.#context.onStarted(this.#pod, this.#foundMs),
    };
  }

  get uid(): string {
    return this.#pod.metadata.uid;
  }

  runs(container: string): boolean {
    return this.#container(container)?.runs === true;
  }

  #container(name: string): PodContainer | undefined {
    return this.#containers.find((each) => each.name === name);
  }

  /** Of the first process of each running container, where there is one on this machine. */
  get pids(): readonly number[] {
    return this.#containers.flatMap(({ identity }) => identity?.identity.pid ?? []);
  }

  /** A row for each running container; undefined where nobody can tell. */
  usage(): Promise<readonly ContainerUsage[] | undefined> {
    const running = this.#containers.flatMap(({ identity }) => identity ?? []);
    return this.#engine.engine?.usage(this.#pod, running) ?? Promise.resolve(undefined);
  }

  update(pod: Pod): void {
    this.#pod = pod;
    void this.#starts.volumes.update(pod);
    // Who deletes it once more may want it sooner.
    if (this.#stop === "stopping" && this.#deleting) for (const container of this.#containers) container.end({ killAtMs: this.#killAtMs });
    this.#wake();
  }

  get limitedVolumes(): readonly LimitedVolume[] {
    return this.#starts.volumes.limited;
  }

  /** It ends at once, and counts as failed. */
  evict(message: string): void {
    if (this.#isEnding || this.#eviction !== undefined) return;
    this.#eviction = evicted(message);
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
    this.#container(container)?.imageProgress(message);
  }

  /** A gateway connected to the container that serves. */
  portOpened(): void {
    this.#containers.find(({ run }) => run.spec.ports?.length)?.portOpened();
  }

  /** Where commands of a running container go; undefined while it does not run. */
  running(container: string): { readonly engine: ContainerEngine; readonly at: RunningContainer } | undefined {
    return this.#container(container)?.running;
  }

  /** Ends when the pod is removed, or leaves its containers running when the platform ends. */
  async run(): Promise<void> {
    const signal = this.#signal;
    const leave = (): void => this.#leaving.abort();
    signal.addEventListener("abort", leave, { once: true });
    if (this.#pod.status?.startTime === undefined) this.#context.onEvent(this.#pod, scheduledEvent(this.#pod));
    if (!this.#deleting || this.#containers.some(({ runs }) => runs)) void this.#open();
    const unfollow = this.#follow();
    while (!signal.aborted && !this.#removed) {
      this.#dirty = false;
      const tokensDueMs = this.#renewTokens();
      const plan = planPod(this.#view());
      for (const action of plan.actions) await this.#act(action);
      if (plan.actions.length > 0) continue;
      const runs = this.#containers.map(({ run }) => run);
      const reportAtMs = this.#deleting ? Infinity : await this.#record.report(this.#pod, { runs, place: this.#engine.place, cutShort: this.#cutShort });
      await this.#pause(Math.min(plan.wakeAtMs ?? Infinity, reportAtMs, tokensDueMs));
    }
    signal.removeEventListener("abort", leave);
    unfollow();
  }

  /** Mounted objects that change are mounted anew, and a container that waits for one need not wait for its time. */
  #follow(): () => void {
    const { namespace = "" } = this.#pod.metadata;
    const followed = this.#starts.volumes.followed.map((object) => ({ ...object, namespace }));
    if (followed.length === 0) return () => undefined;
    const onChange = (object: (typeof followed)[number]): void => {
      void this.#starts.volumes.follow(object.kind, object.name);
      for (const container of this.#containers) container.retryMounts();
    };
    return this.#context.objects.follow(followed, onChange, this.#signal);
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

  /** What fails here is told by the first start that needs it. */
  async #open(): Promise<void> {
    await this.#engine.opened(this.#pod).catch(() => undefined);
    this.#wake();
  }

  /** Nothing starts again. */
  get #isEnding(): boolean {
    return this.#deleting || this.#stop === "stopping" || this.#dismissed;
  }

  #view(): PodView {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const views = (init: boolean) => this.#containers.filter(({ run }) => run.init === init).map(({ view }) => view);
    return {
      nowMs: this.#context.clock.monotonicMs(),
      deleting: this.#deleting,
      stop: this.#stop,
      dismissed: this.#dismissed,
      ...(activeDeadlineSeconds === undefined ? {} : { expiresAtMs: this.#activeSinceMs + activeDeadlineSeconds * 1000 }),
      ...(this.#eviction === undefined ? {} : { expiresAtMs: this.#foundMs }),
      inits: views(true),
      containers: views(false),
    };
  }

  get #deleting(): boolean {
    return this.#objectGone || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  async #act(action: PodAction): Promise<void> {
    switch (action.do) {
      case "start":
        this.#container(action.container)?.start();
        return;
      case "drain":
        this.#stop = "draining";
        this.#leaving.abort();
        this.#stopBeganMs = this.#context.clock.monotonicMs();
        void this.#drain();
        return;
      case "terminate":
        this.#stopBeganMs ??= this.#context.clock.monotonicMs();
        this.#stop = "stopping";
        this.#endAll(this.#containers);
        return;
      case "expire":
        this.#cutShort = this.#eviction ?? DEADLINE_EXCEEDED;
        this.#stop = "stopping";
        this.#stopBeganMs = this.#context.clock.monotonicMs();
        this.#leaving.abort();
        this.#context.onEvent(this.#pod, this.#cutShort);
        this.#endAll(this.#containers);
        if (this.#eviction !== undefined) void this.#giveBack();
        return;
      case "dismiss":
        this.#dismissed = true;
        this.#stopBeganMs = this.#context.clock.monotonicMs();
        this.#endAll(this.#containers.filter(({ isSidecar }) => isSidecar));
        return;
      case "remove":
        await this.#remove();
        return;
    }
  }

  /** What it took too much of is free as soon as it does not run, though the object stays. */
  async #giveBack(): Promise<void> {
    await Promise.all(this.#containers.map(({ ended }) => ended));
    if (this.#signal.aborted) return;
    await this.#starts.volumes
      .remove()
      .catch((error: unknown) => this.#context.logger.warn("volumes were not removed", { pod: this.#pod.metadata.name, err: error }));
  }

  get #graceMs(): number {
    if (this.#eviction !== undefined) return GRACE_EVICTED_MS;
    if (this.#objectGone && this.#pod.metadata.deletionTimestamp === undefined) return GRACE_GONE_MS;
    return (this.#pod.metadata.deletionGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? GRACE_DEFAULT_S) * 1000;
  }

  get #killAtMs(): number {
    return (this.#stopBeganMs ?? this.#context.clock.monotonicMs()) + this.#graceMs;
  }

  /** All at once, but sidecars last, in the reverse of their order. */
  #endAll(containers: readonly PodContainer[]): void {
    const others = containers.filter(({ isSidecar }) => !isSidecar);
    let turn = Promise.all(others.map(({ ended }) => ended)).then(() => undefined);
    for (const container of others) container.end({ killAtMs: this.#killAtMs });
    for (const sidecar of containers.filter(({ isSidecar }) => isSidecar).toReversed()) {
      sidecar.end({ killAtMs: this.#killAtMs, turn });
      turn = Promise.all([turn, sidecar.ended]).then(() => undefined);
    }
  }

  /** The gateways let go of the pod; however long they take, the grace bounds it. */
  async #drain(): Promise<void> {
    const { clock, beforeStop, logger } = this.#context;
    const { namespace = "", name, uid } = this.#pod.metadata;
    const over = new AbortController();
    const either = AbortSignal.any([this.#signal, over.signal]);
    const limit = clock.sleep(this.#graceMs, either).catch(() => undefined);
    const drained = beforeStop({ namespace, name, uid }, either).catch((error: unknown) => logger.warn("pod was not drained", { pod: name, err: error }));
    await Promise.race([drained, limit]);
    over.abort();
    if (this.#stop === "draining") this.#stop = "drained";
    this.#wake();
  }

  async #remove(): Promise<void> {
    const { client, logger } = this.#context;
    const { namespace = "", name, uid } = this.#pod.metadata;
    await this.#starts.volumes.remove().catch((error: unknown) => logger.warn("volumes were not removed", { pod: name, err: error }));
    await this.#engine.close(this.#pod).catch((error: unknown) => logger.warn("what the pod had was not removed", { pod: name, err: error }));
    try {
      if (!this.#objectGone) await client.delete(Pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) {
        logger.warn("pod was not deleted", { pod: name, err: error });
        await this.#context.clock.sleep(RETRY_WRITE_MS, this.#signal).catch(() => undefined);
        return;
      }
    }
    this.#removed = true;
  }

  /** Something happened: plan again, also when that is under way just now. */
  #wake(): void {
    this.#dirty = true;
    this.#resume();
  }

  /** Until something happens, or `untilMs`. */
  async #pause(untilMs: number): Promise<void> {
    const over = new AbortController();
    const { clock } = this.#context;
    const woken = new Promise<void>((resolve) => {
      this.#resume = resolve;
      if (this.#dirty) resolve();
      this.#signal.addEventListener("abort", () => resolve(), { once: true, signal: over.signal });
    });
    const ms = untilMs - clock.monotonicMs();
    await (ms === Infinity ? woken : Promise.race([woken, clock.sleep(Math.max(0, ms), over.signal).catch(() => undefined)]));
    over.abort();
  }
}
