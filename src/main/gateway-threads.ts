// The gateway threads as the control thread sees them: started, fed with routes, listened to, replaced when they die.
import { Worker } from "node:worker_threads";
import type { Logger } from "#core";
import { doorbellBytes, inFlightBytes, subtractThread } from "#gateway";
import type { ControlToGateway, GatewayStart, GatewayToControl, RouteDelta } from "#protocol";

export interface GatewayThreadsOptions {
  readonly listenFds: readonly number[];
  readonly publicPort: number;
  readonly slots: number;
  readonly logger: Logger;
  /** The routing table for a thread that is about to start: it serves by that from its first request on. */
  readonly firstBatch: (thread: number) => RouteDelta;
  /** A message of a live thread; `listening` comes first. */
  readonly onMessage: (message: GatewayToControl) => void;
  /** A thread died; its share of the in-flight table is gone already. */
  readonly onGone: (thread: number) => void;
  /** A listening socket for a thread whose own died with it. */
  readonly nextSocket: (thread: number) => Promise<number>;
}

export class GatewayThreads {
  readonly #options: GatewayThreadsOptions;
  readonly #inFlight: SharedArrayBuffer;
  readonly #doorbell: SharedArrayBuffer;
  readonly #workers = new Map<number, Worker>();
  /** Questions for counters that are open, by number: threads that have not answered, and the sums so far. */
  readonly #asked = new Map<number, { readonly open: Set<number>; readonly sums: Map<string, number>; readonly done: () => void }>();
  #questions = 0;
  #epoch = 0;
  #ending = false;

  constructor(options: GatewayThreadsOptions) {
    this.#options = options;
    const threads = options.listenFds.length;
    this.#inFlight = new SharedArrayBuffer(inFlightBytes(threads, options.slots));
    this.#doorbell = new SharedArrayBuffer(doorbellBytes(threads));
  }

  /** Resolves when all threads listen. */
  async start(): Promise<void> {
    await Promise.all(this.#options.listenFds.map((fd, thread) => this.#start(thread, fd)));
  }

  send(thread: number, message: ControlToGateway): void {
    this.#workers.get(thread)?.postMessage(message);
  }

  broadcast(delta: RouteDelta): void {
    for (const worker of this.#workers.values()) worker.postMessage(delta);
  }

  /** Counters of all threads, added up, as lines of Prometheus' text form. */
  async metricsText(): Promise<string> {
    if (this.#workers.size === 0) return "";
    const id = this.#questions++;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sums = new Map<string, number>();
    this.#asked.set(id, { open: new Set(this.#workers.keys()), sums, done: resolve });
    for (const thread of this.#workers.keys()) this.send(thread, { type: "metrics", id });
    await promise;
    this.#asked.delete(id);
    return [...sums].map(([sample, value]) => `${sample} ${value}\n`).join("");
  }

  #answered(id: number, thread: number, counters: Readonly<Record<string, number>>): void {
    const question = this.#asked.get(id);
    if (question === undefined || !question.open.delete(thread)) return;
    for (const [sample, value] of Object.entries(counters)) question.sums.set(sample, (question.sums.get(sample) ?? 0) + value);
    if (question.open.size === 0) question.done();
  }

  /** Lets requests finish for up to `graceMs` and ends the threads. */
  async drain(graceMs: number): Promise<void> {
    this.#ending = true;
    const ends = [...this.#workers.values()].map((worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())));
    for (const worker of this.#workers.values()) worker.postMessage({ type: "drain", graceMs } satisfies ControlToGateway);
    await Promise.all(ends);
  }

  #start(thread: number, listenFd: number): Promise<void> {
    const { firstBatch, slots, publicPort, listenFds, onMessage } = this.#options;
    const workerData: GatewayStart = {
      thread,
      threads: listenFds.length,
      epoch: this.#epoch++,
      listenFd,
      inFlight: this.#inFlight,
      slots,
      publicPort,
      doorbell: this.#doorbell,
    };
    const worker = new Worker(new URL(import.meta.resolve("#entry/gateway-thread")), { workerData });
    this.#workers.set(thread, worker);
    worker.postMessage(firstBatch(thread));
    const listening = Promise.withResolvers<void>();
    worker.on("message", (message: GatewayToControl) => {
      if (message.type === "listening") listening.resolve();
      else if (message.type === "metrics") this.#answered(message.id, thread, message.counters);
      onMessage(message);
    });
    worker.on("error", (err) => this.#options.logger.error("gateway thread failed", { thread, err }));
    worker.on("exit", () => this.#gone(thread, worker));
    return listening.promise;
  }

  #gone(thread: number, worker: Worker): void {
    if (this.#workers.get(thread) !== worker) return;
    this.#workers.delete(thread);
    for (const id of this.#asked.keys()) this.#answered(id, thread, {});
    subtractThread(this.#inFlight, { thread, threads: this.#options.listenFds.length });
    if (this.#ending) return;
    this.#options.onGone(thread);
    this.#options.nextSocket(thread).then(
      (fd) => this.#start(thread, fd),
      (err: unknown) => this.#options.logger.error("gateway thread cannot be replaced", { thread, err }),
    );
  }
}
