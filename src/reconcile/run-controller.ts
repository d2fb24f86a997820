// The shell around a controller: triggers, one worker a key, observe → plan → apply, retries.
import { backoffMs, isReason, StatusError, WorkQueue, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { keyFrom, keyOf, type Client, type Informer, type InformerSet } from "#client";
import { apiVersionOf, type Kind, type KubeObject, type ObjectKey, type OwnerReference } from "#schema";
import { applyChildren, Settled } from "./apply-children.ts";
import { applyStatus } from "./apply-status.ts";
import type { EventRecorder, Regarding } from "./event-recorder.ts";
import { kindId, PassWorld, RecentChildren } from "./pass-world.ts";
import type { Controller, Plan, PlanEvent, Watched } from "./port.ts";
import type { RightOfWay } from "./right-of-way.ts";
import { WakeList } from "./wake-list.ts";

/** One pass over a key, for receipts, metrics and tests. */
export interface PassReport {
  readonly controller: string;
  readonly key: ObjectKey;
  readonly writes: number;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly error?: unknown;
}

export interface RunOptions<P extends KubeObject, Observed, Effect> {
  readonly controller: Controller<P, Observed, Effect>;
  /** Must run beside; the controller asks it for what it needs. */
  readonly informers: InformerSet;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Keys worked on at the same time; default 4. */
  readonly workers?: number;
  readonly onPass?: (report: PassReport) => void;
  /** Passes wait while it is held, or with `leadsToPods` only their status writes. */
  readonly standAside?: { readonly way: RightOfWay; readonly leadsToPods: boolean };
}

export interface ControllerRun {
  /** Ends once the signal has aborted and the last pass is over; never rejects. */
  readonly done: Promise<void>;
  /** Resolves when all informers have their first list and the workers have started; also on abort. */
  readonly started: Promise<void>;
  /** Wakes a key from outside (the autoscaler has decided). */
  requeue(key: ObjectKey): void;
  /** Wakes every key that exists (settings have changed). */
  requeueAll(): void;
  /** Nothing waits and nothing runs; retries and wake-ups may be due later. */
  readonly idle: boolean;
}

/** As client-go's default rate limiter for one item. */
const RETRY: BackoffPolicy = { baseMs: 5, maxMs: 1_000_000, jitter: 0.2 };
/** Conflicts in a row that are retried at once. */
const PROMPT_RETRIES_MAX = 5;
const WORKERS = 4;

interface WatchRow {
  readonly resourceVersion: string;
  /** What `Watched.keep` picked. */
  readonly kept?: KubeObject;
  readonly keys?: readonly ObjectKey[];
}

/** Marks a pass that a plan itself declared failed. */
class PlanFailure extends Error {}

class Shell<P extends KubeObject, Observed, Effect> {
  readonly #options: RunOptions<P, Observed, Effect>;
  readonly #queue = new WorkQueue<string>();
  readonly #recent = new RecentChildren();
  readonly #settled = new Settled();
  readonly #failures = new Map<string, { count: number; reason: string }>();
  readonly #watched = new Map<string, Informer<WatchRow>>();
  readonly #due: WakeList;
  readonly #retries: WakeList;

  constructor(options: RunOptions<P, Observed, Effect>) {
    this.#options = options;
    this.#due = new WakeList(options.clock, (key) => this.add(key));
    this.#retries = new WakeList(options.clock, (key) => this.add(key));
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  add(key: string): void {
    this.#queue.add(key);
  }

  /** Hooks up all triggers; returns what must be synced before the first pass. */
  listen(): Promise<unknown> {
    const { controller, informers } = this.#options;
    const primary = informers.meta(controller.primary);
    primary.onChange((change) => this.add(change.key));
    const synced: Promise<unknown>[] = [primary.synced];
    for (const kind of controller.owns) {
      const owned = informers.meta(kind);
      owned.onChange(({ before, after }) => {
        for (const row of [before, after]) for (const owner of row?.owners ?? []) this.#addOwner(owner, row?.namespace ?? "");
      });
      synced.push(owned.synced);
    }
    controller.watches?.forEach((watched, at) => synced.push(this.#watch(watched, at)));
    return Promise.all(synced).then(() => this.addAll());
  }

  addAll(): void {
    const { controller, informers } = this.#options;
    for (const row of informers.meta(controller.primary).list()) this.add(keyOf(row.namespace, row.name));
  }

  async work(signal: AbortSignal): Promise<void> {
    const workers = Array.from({ length: this.#options.workers ?? WORKERS }, () => this.#worker(signal));
    await Promise.all([...workers, this.#due.run(signal), this.#retries.run(signal)]);
  }

  #watch(watched: Watched, at: number): Promise<void> {
    const { controller, informers } = this.#options;
    const keep = (object: KubeObject): WatchRow => {
      const { resourceVersion } = object.metadata;
      return watched.keep === undefined ? { resourceVersion, keys: watched.keys(object) } : { resourceVersion, kept: watched.keep(object) };
    };
    const keysOf = (row: WatchRow | undefined): readonly ObjectKey[] => row?.keys ?? (row?.kept === undefined ? [] : watched.keys(row.kept));
    const informer = informers.of(watched.kind, `${controller.name} ${at}`, keep);
    this.#watched.set(kindId(watched.kind), informer);
    if (watched.read === true) informer.addIndex("keys", (row) => keysOf(row).map(({ namespace, name }) => keyOf(namespace, name)));
    informer.onChange(({ before, after }) => {
      for (const row of [before, after]) for (const key of keysOf(row)) this.add(keyOf(key.namespace, key.name));
    });
    return informer.synced;
  }

  #addOwner(owner: OwnerReference, namespace: string): void {
    const { primary } = this.#options.controller;
    if (owner.controller !== true || owner.kind !== primary.kind || owner.apiVersion.split("/")[0] !== apiVersionOf(primary).split("/")[0]) return;
    this.add(keyOf(primary.scope === "Namespaced" ? namespace : "", owner.name));
  }

  async #worker(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.#queue.take(signal);
      if (key === undefined) return;
      const { client, clock, controller, informers, onPass, standAside } = this.#options;
      if (standAside?.way.held === true && !standAside.leadsToPods) {
        // Back into the queue, so that what comes meanwhile is part of the same pass.
        this.#queue.add(key);
        this.#queue.done(key);
        await standAside.way.free();
        continue;
      }
      const startedMs = clock.monotonicMs();
      const watchedKeys = (kind: Kind): readonly string[] => this.#watched.get(kindId(kind))?.keysByIndex("keys", key) ?? [];
      const world = new PassWorld({ client, informers, clock, recent: this.#recent, primaryKey: key, watchedKeys });
      let failed: unknown;
      try {
        await this.#pass(key, world, signal);
        this.#failures.delete(key);
      } catch (error) {
        failed = error;
        if (!signal.aborted) this.#fence(key, error);
      } finally {
        this.#queue.done(key);
      }
      const report = { controller: controller.name, key: keyFrom(key), writes: world.writes, startedMs, endedMs: clock.monotonicMs() };
      onPass?.(failed === undefined ? report : { ...report, error: failed });
    }
  }

  /** Retries: Conflict and AlreadyExists promptly a few times, all else with backoff; logged when the reason changes. */
  #fence(key: string, error: unknown): void {
    const { clock, controller, logger, rng } = this.#options;
    const reason = error instanceof StatusError ? error.reason : error instanceof PlanFailure ? "InternalError" : "Thrown";
    const before = this.#failures.get(key);
    const count = (before?.count ?? 0) + 1;
    this.#failures.set(key, { count, reason });
    const prompt = isReason(error, "Conflict") || isReason(error, "AlreadyExists");
    if (prompt && count <= PROMPT_RETRIES_MAX) {
      this.add(key);
      return;
    }
    if (before?.reason !== reason || (prompt && count === PROMPT_RETRIES_MAX + 1))
      logger.warn("reconcile failed", { controller: controller.name, key, reason, err: error });
    const hintMs = error instanceof StatusError ? (error.details?.retryAfterSeconds ?? 0) * 1000 : 0;
    this.#retries.set(key, clock.monotonicMs() + Math.max(hintMs, backoffMs(RETRY, count - 1, rng)));
  }

  async #pass(key: string, world: PassWorld, signal: AbortSignal): Promise<void> {
    const { controller } = this.#options;
    const observed = await controller.observe(keyFrom(key), world);
    if (observed === undefined) {
      this.#recent.forget(key);
      this.#due.set(key, undefined);
      this.#retries.set(key, undefined);
      controller.forget?.(keyFrom(key));
      return;
    }
    const plan = controller.plan(observed);
    this.#due.set(key, plan.wakeAtMs);
    const primary = controller.primaryOf(observed);
    try {
      await this.#apply(plan, { key, primary, world, signal });
    } catch (error) {
      const quiet = signal.aborted || isReason(error, "Conflict") || isReason(error, "AlreadyExists") || error instanceof PlanFailure;
      if (!quiet && plan.afterRefusal === undefined)
        this.#record(primary, [{ type: "Warning", reason: "InternalError", message: error instanceof Error ? error.message : String(error) }]);
      throw error;
    }
  }

  async #apply(plan: Plan<Effect>, at: { readonly key: string; readonly primary: P; readonly world: PassWorld; readonly signal: AbortSignal }): Promise<void> {
    const { controller } = this.#options;
    const { key, primary, world } = at;
    const kind = controller.primary as unknown as Kind;
    let bearer: KubeObject = primary;
    for (const patch of plan.patches ?? []) {
      const { subresource } = patch;
      const target = { namespace: patch.namespace, name: patch.name, ...(subresource === undefined ? {} : { subresource }) };
      const result = await world.client.patch(patch.kind, target, { type: patch.type, body: patch.body });
      // The status is written on top of what the patch made of the primary.
      if (subresource === undefined && result.metadata.uid === primary.metadata.uid) bearer = { ...bearer, metadata: result.metadata };
    }
    const onCreated = (event: PlanEvent): void => this.#record(primary, [event]);
    const children = {
      world,
      onCreated,
      recent: this.#recent,
      settled: this.#settled,
      primaryKey: key,
      primaryKind: kind,
      primary: bearer,
      owns: controller.owns,
    };
    const refusals = plan.desired === undefined ? [] : await applyChildren(plan.desired, children);
    const [refusal] = refusals;
    const outcome = refusal === undefined ? plan : plan.afterRefusal?.(refusals);
    if (refusal !== undefined && outcome === undefined) throw refusal.error;
    // What the events tell has happened, also when the status has to be written in another pass.
    this.#record(primary, outcome?.events ?? []);
    if (refusal === undefined) for (const effect of plan.effects ?? []) await controller.runEffect?.(effect, world, at.signal);
    if (outcome?.status !== undefined) {
      // Whoever waits for the children goes first: from zero to a pod no status write stands in the way.
      if (world.writes > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#options.standAside?.way.free();
      await applyStatus({ client: world.client, kind, primary: bearer, status: outcome.status, wallMs: world.nowMs.wall });
    }
    if (refusal !== undefined) throw refusal.error;
    if (plan.failure !== undefined) {
      this.#record(primary, [{ type: "Warning", reason: "InternalError", message: plan.failure }]);
      throw new PlanFailure(plan.failure);
    }
  }

  #record(primary: P, events: readonly PlanEvent[]): void {
    const { controller, events: recorder } = this.#options;
    const { name, namespace = "", uid, resourceVersion } = primary.metadata;
    const about: Regarding = { apiVersion: apiVersionOf(controller.primary), kind: controller.primary.kind, namespace, name, uid, resourceVersion };
    for (const event of events) recorder.record(controller.name, event.regarding ?? about, event);
  }
}

/** Starts at once and runs until the signal aborts. The informer set and the recorder are run by the caller. */
export function runController<P extends KubeObject, Observed, Effect = never>(options: RunOptions<P, Observed, Effect>): ControllerRun {
  const shell = new Shell(options);
  const { signal } = options;
  const aborted = new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
  const started = Promise.race([shell.listen().then(() => {}), aborted]).catch(() => {});
  return {
    started,
    done: started.then(() => shell.work(signal)),
    requeue: (key) => shell.add(keyOf(key.namespace, key.name)),
    requeueAll: () => shell.addAll(),
    get idle() {
      return shell.idle;
    },
  };
}
