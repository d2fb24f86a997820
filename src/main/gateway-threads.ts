// The gateway threads as the control thread sees them: started, fed with routes, listened to, replaced when they die.
import { Worker } from "node:worker_threads";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { Doorbell, doorbellBytes, inFlightBytes, InFlightTable, Recovery, turnsBytes } from "#gateway";
import type { ThreadSockets } from "#keeper";
import { QUEUE_ROWS_PER_SLOT, type ControlToGateway, type GatewaySettings, type GatewayStart, type GatewayToControl, type RouteDelta } from "#protocol";
import { GatewayMetrics } from "./gateway-metrics.ts";
import { StandIns } from "./stand-ins.ts";
import { ThreadPulse } from "./thread-pulse.ts";

/** What is used of a `Worker`. */
export interface ThreadWorker {
  postMessage(message: ControlToGateway): void;
  on(event: "message", listener: (message: GatewayToControl) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: () => void): unknown;
  /** Ends it, whatever it does; `exit` follows. */
  terminate(): unknown;
}

export interface GatewayThreadsOptions {
  /** By thread: what it listens on. */
  readonly sockets: readonly ThreadSockets[];
  readonly publicPort: number;
  readonly slots: number;
  /** Folder for the access log and the request log; without one there are none. */
  readonly logFolder?: string;
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
  /** No thread has listened for a minute: connections wait and nobody will come for them. */
  readonly onHopeless: () => void;
  /** Default: a thread of this process. */
  readonly startWorker?: (workerData: GatewayStart) => ThreadWorker;
}

/** A thread that dies is replaced at once, one that dies again and again less often. */
const REPLACE: BackoffPolicy = { baseMs: 20, maxMs: 5_000, jitter: 0.2 };
/** A thread that lived so long did not die of what it was given at its start. */
const STEADY_MS = 10_000;
/** A thread that does not listen by then is started once more. */
const LISTEN_MS = 30_000;
/** How long connections may wait without a single thread that listens. */
const HOPELESS_MS = 60_000;
/** How long to wait before what is in doubt is looked at once more. */
const SETTLE_MS = 1;
const FOREVER = new AbortController().signal;

/** A thread that outgrows its heap ends alone; bodies are not in it, a connection has a few kilobytes. */
const HEAP_MB_MAX = 1_024;

const startThread = (workerData: GatewayStart): ThreadWorker =>
  new Worker(new URL(import.meta.resolve("#entry/gateway-thread")), { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });

export class GatewayThreads {
  /** What the control thread has of the tables that the threads share. */
  readonly hand: { readonly inFlight: InFlightTable; readonly doorbell: Doorbell };
  readonly #options: GatewayThreadsOptions;
  readonly #inFlight: SharedArrayBuffer;
  readonly #doorbell: SharedArrayBuffer;
  readonly #turns: SharedArrayBuffer;
  readonly #recovery: Recovery;
  readonly #workers = new Map<number, ThreadWorker>();
  /** Resolved when the thread listens for the first time, itself or one that replaced it. */
  readonly #listening: readonly PromiseWithResolvers<void>[];
  readonly #listens = new Set<number>();
  /** Per thread: deaths soon after a start, in a row. */
  readonly #deaths: number[];
  readonly #metrics: GatewayMetrics;
  readonly #pulse: ThreadPulse;
  readonly #standIns: StandIns;
  readonly #ended = new AbortController();
  #epoch = 0;
  /** When a thread was last known to listen. */
  #listenedMs: number;
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
    this.#pulse = new ThreadPulse({ clock: options.clock, ask: (thread) => this.#ask(thread), hangs: (thread) => this.#hangs(thread) });
    this.#standIns = new StandIns({
      listening: this.#listens,
      nextSockets: options.nextSockets,
      send: (thread, message) => this.send(thread, message),
      logger: options.logger,
    });
    this.#listenedMs = options.clock.monotonicMs();
    this.#inFlight = new SharedArrayBuffer(inFlightBytes(threads, options.slots));
    this.#doorbell = new SharedArrayBuffer(doorbellBytes(threads, rows));
    this.#turns = new SharedArrayBuffer(turnsBytes(options.slots));
    const control = { thread: threads, threads, rows, nowMs: () => options.clock.monotonicMs() };
    this.hand = { inFlight: new InFlightTable(this.#inFlight, control), doorbell: new Doorbell(this.#doorbell, control) };
    this.#recovery = new Recovery({ inFlight: this.#inFlight, doorbell: this.#doorbell, threads, rows });
  }

  /** Resolves when all threads listen. */
  async start(): Promise<void> {
    this.#options.sockets.forEach((its, thread) => this.#start(thread, its));
    await Promise.all(this.#listening.map(({ promise }) => promise));
  }

  send(thread: number, message: ControlToGateway): void {
    this.#workers.get(thread)?.postMessage(message);
    this.#stirred(thread);
  }

  broadcast(message: ControlToGateway): void {
    for (const thread of this.#workers.keys()) this.send(thread, message);
  }

  /** Those of requests alone. */
  requestMetricsText(isKnown: (key: string) => boolean): Promise<string> {
    return this.#metrics.requests(isKnown);
  }

  /** Metrics of all threads in Prometheus' text form, of the revisions (`namespace/name`) that are known. */
  metricsText(isKnown: (key: string) => boolean): Promise<string> {
    return this.#metrics.text(isKnown);
  }

  /** Lets requests finish for up to `graceMs` and ends the threads; kept connections that are quiet are closed after `idleMs`. */
  async drain(graceMs: number, idleMs = 0): Promise<void> {
    this.#ending = true;
    const ends = [...this.#workers.values()].map((worker) => new Promise<void>((resolve) => worker.on("exit", () => resolve())));
    this.broadcast({ type: "drain", graceMs, idleMs });
    await Promise.all(ends);
    this.#ended.abort();
  }

  #ask(thread: number): void {
    this.#workers.get(thread)?.postMessage({ type: "areYouThere" });
  }

  /** One that starts is busy with that, and would answer late. */
  #stirred(thread: number): void {
    if (this.#listens.has(thread)) this.#pulse.stirred(thread, this.#ended.signal);
  }

  /** Its connections are lost anyway; those that wait for it in the kernel are its successor's. */
  #hangs(thread: number): void {
    this.#options.logger.error("gateway thread hangs and is ended", { thread });
    this.#workers.get(thread)?.terminate();
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
      ...(this.#options.logFolder === undefined ? {} : { logFolder: this.#options.logFolder }),
    };
    const worker = startWorker(workerData);
    this.#workers.set(thread, worker);
    worker.postMessage({ type: "settings", settings: settings() });
    worker.postMessage(batch);
    worker.on("message", (message) => {
      if (message.type === "here") return this.#pulse.answered(thread);
      if (message.type === "metrics") this.#metrics.received(message);
      else if (message.type === "listening") this.#isListening(thread);
      this.#stirred(thread);
      onMessage(message);
    });
    worker.on("error", (err) => this.#options.logger.error("gateway thread failed", { thread, err }));
    worker.on("exit", () => this.#gone(thread, worker, startedMs));
    void this.#mustListen(thread, worker);
  }

  async #mustListen(thread: number, worker: ThreadWorker): Promise<void> {
    const over = new AbortController();
    worker.on("exit", () => over.abort());
    worker.on("message", ({ type }) => type === "listening" && over.abort());
    try {
      await this.#options.clock.sleep(LISTEN_MS, over.signal);
      this.#options.logger.error("gateway thread does not come to listen and is ended", { thread });
      worker.terminate();
    } catch {
      // It listens, or it is gone.
    }
  }

  #isListening(thread: number): void {
    this.#listens.add(thread);
    this.#standIns.listens(thread);
    this.#listening[thread]?.resolve();
  }

  #gone(thread: number, worker: ThreadWorker, startedMs: number): void {
    if (this.#workers.get(thread) !== worker) return;
    this.#workers.delete(thread);
    if (this.#listens.delete(thread)) this.#listenedMs = this.#options.clock.monotonicMs();
    this.#standIns.gone(thread);
    this.#pulse.gone(thread);
    this.#metrics.threadGone(thread);
    this.#recovery.bury(thread);
    this.#options.onGone(thread);
    if (this.#ending) return;
    void this.#settle();
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
    const { clock, rng, nextSockets, logger, onHopeless } = this.#options;
    for (let failures = this.#deaths[thread] ?? 0; !this.#ending; failures++) {
      try {
        if (failures > 0) {
          // The first pause is short.
          if (failures > 1) await this.#standIns.find(thread);
          if (this.#listens.size === 0 && clock.monotonicMs() - this.#listenedMs > HOPELESS_MS) return onHopeless();
          await clock.sleep(backoffMs(REPLACE, failures - 1, rng), FOREVER);
        }
        const its = await nextSockets(thread);
        if (!this.#ending) this.#start(thread, its);
        return;
      } catch (err) {
        logger.error("gateway thread was not replaced", { thread, err });
      }
    }
  }
}
