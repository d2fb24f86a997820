// The gateway threads as the control thread sees them: started, fed with routes, listened to, replaced when they die.
import { Worker } from "node:worker_threads";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { doorbellBytes, inFlightBytes, Recovery, turnsBytes } from "#gateway";
import type { ThreadSockets } from "#keeper";
import { QUEUE_ROWS_PER_SLOT, type ControlToGateway, type GatewaySettings, type GatewayStart, type GatewayToControl, type RouteDelta } from "#protocol";
import { GatewayMetrics } from "./gateway-metrics.ts";

/** What is used of a `Worker`. */
export interface ThreadWorker {
  postMessage(message: ControlToGateway): void;
  on(event: "message", listener: (message: GatewayToControl) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: () => void): unknown;
}

export interface GatewayThreadsOptions {
  /** By thread: what it listens on. */
  readonly sockets: readonly ThreadSockets[];
  readonly publicPort: number;
  readonly slots: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly settings: () => GatewaySettings;
  /** The routing table for a thread that is about to start: it serves by that from its first request on. */
  readonly firstBatch: (thread: number) => RouteDelta;
  /** A message of a live thread; `listening` comes first. */
  readonly onMessage: (message: GatewayToControl) => void;
  /** A thread died; its share of the in-flight table is gone already. */
  readonly onGone: (thread: number) => void;
  /** Listening sockets for a thread whose own died with it. */
  readonly nextSockets: (thread: number) => Promise<ThreadSockets>;
  /** Default: a thread of this process. */
  readonly startWorker?: (workerData: GatewayStart) => ThreadWorker;
}

/** A thread that dies is replaced at once, one that dies again and again less often. */
const REPLACE: BackoffPolicy = { baseMs: 20, maxMs: 5_000, jitter: 0.2 };
/** A thread that lived so long did not die of what it was given at its start. */
const STEADY_MS = 10_000;
/** How long to wait before what is in doubt is looked at once more. */
const SETTLE_MS = 1;
const FOREVER = new AbortController().signal;

const startThread = (workerData: GatewayStart): ThreadWorker => new Worker(new URL(import.meta.resolve("#entry/gateway-thread")), { workerData });

export class GatewayThreads {
  readonly #options: GatewayThreadsOptions;
  readonly #inFlight: SharedArrayBuffer;
  readonly #doorbell: SharedArrayBuffer;
  readonly #turns: SharedArrayBuffer;
  readonly #recovery: Recovery;
  readonly #workers = new Map<number, ThreadWorker>();
  /** Resolved when the thread listens for the first time, itself or one that replaced it. */
  readonly #listening: readonly PromiseWithResolvers<void>[];
  /** Per thread: deaths soon after a start, in a row. */
  readonly #deaths: number[];
  readonly #metrics: GatewayMetrics;
  #epoch = 0;
  #ending = false;

  constructor(options: GatewayThreadsOptions) {
    this.#options = options;
    const threads = options.sockets.length;
    const rows = QUEUE_ROWS_PER_SLOT * options.slots;
    this.#listening = options.sockets.map(() => Promise.withResolvers<void>());
    this.#deaths = options.sockets.map(() => 0);
    this.#metrics = new GatewayMetrics({
      clock: options.clock,
      threads: () => this.#workers.keys(),
      send: (thread, message) => this.send(thread, message),
      turn: () => new Promise((resolve) => setImmediate(resolve)),
    });
    this.#inFlight = new SharedArrayBuffer(inFlightBytes(threads, options.slots));
    this.#doorbell = new SharedArrayBuffer(doorbellBytes(threads, rows));
    this.#turns = new SharedArrayBuffer(turnsBytes(options.slots));
    this.#recovery = new Recovery({ inFlight: this.#inFlight, doorbell: this.#doorbell, threads, rows });
  }

  /** Resolves when all threads listen. */
  async start(): Promise<void> {
    this.#options.sockets.forEach((its, thread) => this.#start(thread, its));
    await Promise.all(this.#listening.map(({ promise }) => promise));
  }

  send(thread: number, message: ControlToGateway): void {
    this.#workers.get(thread)?.postMessage(message);
  }

  broadcast(message: ControlToGateway): void {
    for (const worker of this.#workers.values()) worker.postMessage(message);
  }

  /** Metrics of all threads in Prometheus' text form, of the revisions (`namespace/name`) that are known. */
  metricsText(isKnown: (key: string) => boolean): Promise<string> {
    return this.#metrics.text(isKnown);
  }

  /** Lets requests finish for up to `graceMs` and ends the threads. */
  async drain(graceMs: number): Promise<void> {
    this.#ending = true;
    const ends = [...this.#workers.values()].map((worker) => new Promise<void>((resolve) => worker.on("exit", () => resolve())));
    for (const worker of this.#workers.values()) worker.postMessage({ type: "drain", graceMs } satisfies ControlToGateway);
    await Promise.all(ends);
  }

  #start(thread: number, its: ThreadSockets): void {
    const { firstBatch, settings, slots, publicPort, sockets, onMessage, clock, startWorker = startThread } = this.#options;
    const startedMs = clock.monotonicMs();
    // Before the thread is one of those that changes are sent to: this batch comes first.
    const batch = firstBatch(thread);
    const workerData: GatewayStart = {
      thread,
      threads: sockets.length,
      epoch: this.#epoch++,
      ...its,
      inFlight: this.#inFlight,
      slots,
      publicPort,
      doorbell: this.#doorbell,
      turns: this.#turns,
    };
    const worker = startWorker(workerData);
    this.#workers.set(thread, worker);
    worker.postMessage({ type: "settings", settings: settings() });
    worker.postMessage(batch);
    worker.on("message", (message) => {
      if (message.type === "listening") this.#listening[thread]?.resolve();
      else if (message.type === "metrics") this.#metrics.received(message);
      onMessage(message);
    });
    worker.on("error", (err) => this.#options.logger.error("gateway thread failed", { thread, err }));
    worker.on("exit", () => this.#gone(thread, worker, startedMs));
  }

  #gone(thread: number, worker: ThreadWorker, startedMs: number): void {
    if (this.#workers.get(thread) !== worker) return;
    this.#workers.delete(thread);
    this.#metrics.threadGone(thread);
    this.#recovery.bury(thread);
    if (this.#ending) return;
    void this.#settle();
    this.#options.onGone(thread);
    const soon = this.#options.clock.monotonicMs() - startedMs < STEADY_MS;
    this.#deaths[thread] = soon ? (this.#deaths[thread] ?? 0) + 1 : 0;
    void this.#replace(thread);
  }

  /** A place that was taken or given back as the thread died is in doubt until no thread moves for an instant. */
  async #settle(): Promise<void> {
    while (!this.#ending && !this.#recovery.settle()) await this.#options.clock.sleep(SETTLE_MS, FOREVER);
  }

  /** Tries until there is one: connections wait in the kernel for this thread. */
  async #replace(thread: number): Promise<void> {
    const { clock, rng, nextSockets, logger } = this.#options;
    for (let failures = this.#deaths[thread] ?? 0; !this.#ending; failures++) {
      try {
        if (failures > 0) await clock.sleep(backoffMs(REPLACE, failures - 1, rng), FOREVER);
        const its = await nextSockets(thread);
        if (!this.#ending) this.#start(thread, its);
        return;
      } catch (err) {
        logger.error("gateway thread was not replaced", { thread, err });
      }
    }
  }
}
