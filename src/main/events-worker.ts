// The events thread as the control thread sees it: started with the first Broker, fed with batches, started anew when it dies.
import { Worker } from "node:worker_threads";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { ControlToEvents, EventsDelta, EventsStart, EventsToControl } from "#protocol";

/** What is used of a `Worker`. */
export interface EventsThread {
  postMessage(message: ControlToEvents): void;
  on(event: "message", listener: (message: EventsToControl) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: () => void): unknown;
  terminate(): unknown;
}

export interface EventsWorkerOptions {
  /** What the thread is started with; the port is the one that the last thread had. */
  readonly start: (port: number) => EventsStart;
  /** Everything, for a thread that is about to start. */
  readonly firstBatch: () => EventsDelta;
  /** What else a thread that is about to start is told. */
  readonly firstWords?: () => readonly ControlToEvents[];
  readonly onMessage: (message: Exclude<EventsToControl, { readonly type: "log" }>) => void;
  readonly onGone: () => void;
  /** The port of the last platform's thread; 0 when there was none. */
  readonly port: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Default: a thread of this process. */
  readonly startThread?: (start: EventsStart) => EventsThread;
}

const AGAIN: BackoffPolicy = { baseMs: 50, maxMs: 10_000, jitter: 0.2 };
/** A thread that lived so long did not die of what it was given at its start. */
const STEADY_MS = 10_000;
const HEAP_MB_MAX = 1_024;
/** Deliveries under way are given up at once; what came has to reach the disk. */
const END_MS_MAX = 5_000;
const FOREVER = new AbortController().signal;

const inThisProcess = (workerData: EventsStart): EventsThread =>
  new Worker(new URL(import.meta.resolve("#entry/events-thread")), { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });

export class EventsWorker {
  readonly #options: EventsWorkerOptions;
  #thread: EventsThread | undefined;
  #gone: Promise<void> = Promise.resolve();
  #port: number;
  #deaths = 0;
  #ending = false;
  #started = false;

  constructor(options: EventsWorkerOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Does nothing while one runs, or is about to. */
  start(): void {
    if (this.#started || this.#ending) return;
    this.#started = true;
    this.#start();
  }

  /** It takes messages. */
  get runs(): boolean {
    return this.#thread !== undefined;
  }

  send(message: Exclude<ControlToEvents, { readonly type: "end" }>): void {
    this.#thread?.postMessage(message);
  }

  /** Resolves once the log is closed: another process may open it. */
  async end(): Promise<void> {
    this.#ending = true;
    const thread = this.#thread;
    thread?.postMessage({ type: "end" });
    const over = new AbortController();
    const late = this.#options.clock.sleep(END_MS_MAX, over.signal).then(
      () => thread?.terminate(),
      () => undefined,
    );
    await this.#gone;
    over.abort();
    await late;
  }

  #start(): void {
    const { start, firstBatch, firstWords, startThread = inThisProcess, clock, logger, onMessage } = this.#options;
    const startedMs = clock.monotonicMs();
    const thread = startThread(start(this.#port));
    this.#thread = thread;
    thread.postMessage(firstBatch());
    for (const message of firstWords?.() ?? []) thread.postMessage(message);
    thread.on("message", (message) => {
      if (message.type === "log") return logger[message.level](message.message, { ...message.fields });
      if (message.type === "listening") this.#port = message.port;
      onMessage(message);
    });
    thread.on("error", (err) => logger.error("the events thread failed", { err }));
    this.#gone = new Promise((resolve) => thread.on("exit", resolve));
    void this.#gone.then(() => this.#replace(startedMs));
  }

  async #replace(startedMs: number): Promise<void> {
    const { clock, rng, onGone } = this.#options;
    this.#thread = undefined;
    if (this.#ending) return;
    onGone();
    this.#deaths = clock.monotonicMs() - startedMs < STEADY_MS ? this.#deaths + 1 : 0;
    if (this.#deaths > 0) await clock.sleep(backoffMs(AGAIN, this.#deaths - 1, rng), FOREVER);
    if (!this.#ending) this.#start();
  }
}
