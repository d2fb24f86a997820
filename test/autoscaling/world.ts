// A revision under load in simulated time: real gateways behind real sockets, the deciders, and pods that follow the decisions.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Deciders, resolveSettings, scaleBoundsOf, type Recording, type RevisionSettings } from "#autoscaler";
import { SeededRng, silentLogger, SimClock } from "#core";
import { createGateway, doorbellBytes, inFlightBytes, Recovery, type Gateway } from "#gateway";
import { defaultServingConfig, type AutoscalerConfig } from "#kinds";
import { QUEUE_ROWS_PER_SLOT, type GatewayToControl } from "#protocol";
import { backendEntry, hostEntry, startPod, type TestPod } from "../../src/gateway/testing.ts";

export const KEY = "ns/rev";
export const STEP_MS = 500;
const SLOTS = 64;
/** Turns of the event loop without anything new after which all that was sent over loopback has arrived. */
const QUIET_TURNS = 12;

export interface WorldOptions {
  readonly annotations: Readonly<Record<string, string>>;
  readonly containerConcurrency: number;
  readonly threads: number;
  /** From the decision to the first request that a pod takes. */
  readonly podDelayMs: number;
  readonly pods: number;
}

interface Running {
  readonly socket: Socket;
  readonly dueMs: number;
}

/** Requests say in their path for how many milliseconds a pod works on them. */
export class World {
  readonly clock = new SimClock();
  readonly #config: AutoscalerConfig = defaultServingConfig().autoscaler;
  readonly #options: WorldOptions;
  #annotations: Readonly<Record<string, string>>;
  #reachability = "";
  deciders = new Deciders({ clock: this.clock });
  #deciding = new AbortController();
  #pod: TestPod | undefined;
  readonly #gateways: { readonly gateway: Gateway; readonly stop: AbortController; readonly running: Promise<void>; readonly epoch: number }[] = [];
  readonly #inFlight: SharedArrayBuffer;
  readonly #doorbell: SharedArrayBuffer | undefined;
  #epochs = 0;
  #generation = 0;
  /** When each pod takes requests. */
  #pods: { readonly slot: number; readonly readyMs: number }[] = [];
  #ready = 0;
  readonly #running = new Set<Running>();
  readonly #idle: Socket[][] = [];
  /** Events of the sockets: what is compared to see that nothing more comes. */
  #events = 0;
  /** Requests without an answer yet. */
  inFlight = 0;
  answered = 0;
  lost = 0;
  #turn = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#annotations = options.annotations;
    this.#inFlight = new SharedArrayBuffer(inFlightBytes(options.threads, SLOTS));
    this.#doorbell = options.threads > 1 ? new SharedArrayBuffer(doorbellBytes(options.threads, QUEUE_ROWS_PER_SLOT * SLOTS)) : undefined;
  }

  async start(): Promise<void> {
    this.#pod = await startPod((socket) => socket.on("data", (bytes) => this.#arrived(socket, bytes.toString("latin1"))));
    this.#pods = Array.from({ length: this.#options.pods }, (_, slot) => ({ slot, readyMs: 0 }));
    this.#ready = this.#options.pods;
    this.#decide(0);
    for (let thread = 0; thread < this.#options.threads; thread++) await this.#startGateway(thread);
  }

  get settings(): RevisionSettings {
    const { containerConcurrency } = this.#options;
    return resolveSettings({ annotations: this.#annotations, containerConcurrency, reachability: this.#reachability, config: this.#config });
  }

  get ready(): number {
    return this.#ready;
  }

  get recording(): Recording {
    const recording = this.deciders.recording(KEY);
    if (recording === undefined) throw new Error("nothing was recorded");
    return recording;
  }

  /** Starts requests, on all threads in turn. */
  async request(count: number, workMs: number): Promise<void> {
    for (let one = 0; one < count; one++) await this.#send(this.#turn++ % this.#gateways.length, workMs);
    await this.#quiet();
  }

  /** One step: answers that are due, pods as decided, and time. */
  async step(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    for (const running of this.#running) {
      if (running.dueMs > nowMs) continue;
      this.#running.delete(running);
      if (!running.socket.destroyed) running.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    await this.#quiet();
    this.#follow(nowMs);
    await this.clock.advance(STEP_MS);
  }

  /** Other annotations, as after an edit of the Revision. */
  edit(annotations: Readonly<Record<string, string>>, reachability = ""): void {
    this.#annotations = annotations;
    this.#reachability = reachability;
    this.#tell(0);
  }

  /** The thread dies with its connections, and another takes its place. */
  async killThread(thread: number): Promise<void> {
    const { threads } = this.#options;
    const dead = this.#gateways[thread];
    dead?.stop.abort();
    await dead?.running;
    const recovery = new Recovery({ inFlight: this.#inFlight, doorbell: this.#doorbell, threads, rows: QUEUE_ROWS_PER_SLOT * SLOTS });
    recovery.bury(thread);
    recovery.settle();
    this.deciders.gatewayGone(thread);
    await this.#quiet();
    await this.#startGateway(thread);
  }

  /** The platform starts anew over pods that ran on: the autoscaler knows nothing but their number. */
  async restart(): Promise<void> {
    this.#deciding.abort();
    this.#deciding = new AbortController();
    this.deciders = new Deciders({ clock: this.clock });
    this.#decide(this.#ready);
    for (let thread = 0; thread < this.#options.threads; thread++) await this.killThread(thread);
  }

  async end(): Promise<void> {
    this.#deciding.abort();
    for (const { stop } of this.#gateways) stop.abort();
    await this.clock.advance(0);
    await Promise.all(this.#gateways.map(({ running }) => running));
    for (const socket of this.#idle.flat()) socket.destroy();
    await this.#pod?.[Symbol.asyncDispose]();
  }

  #decide(restored: number): void {
    this.#tell(restored);
    void this.deciders.run({ signal: this.#deciding.signal });
  }

  #tell(restored: number): void {
    this.deciders.ensure(KEY, this.settings, { uid: "u", ready: this.#ready, restored });
  }

  async #startGateway(thread: number): Promise<void> {
    const { threads } = this.#options;
    const epoch = this.#epochs++;
    const listening = Promise.withResolvers<void>();
    const start = { thread, threads, epoch, listenFd: -1, inFlight: this.#inFlight, slots: SLOTS, publicPort: 80 };
    const gateway = createGateway({
      start: this.#doorbell === undefined ? start : { ...start, doorbell: this.#doorbell },
      clock: this.clock,
      rng: new SeededRng(7 + epoch),
      logger: silentLogger,
      listen: { port: 0, host: "127.0.0.1" },
      send: (message: GatewayToControl) => {
        if (message.type === "listening") listening.resolve();
        this.deciders.receive(structuredClone(message));
      },
    });
    const stop = new AbortController();
    const running = gateway.run(stop.signal);
    this.#gateways[thread] = { gateway, stop, running, epoch };
    this.#idle[thread] = [];
    gateway.receive(this.#routes(true));
    await listening.promise;
  }

  #routes(reset: boolean): Parameters<Gateway["receive"]>[0] {
    const { containerConcurrency } = this.#options;
    const port = this.#pod?.port ?? 0;
    const nowMs = this.clock.monotonicMs();
    const ready = this.#pods.filter(({ readyMs }) => readyMs <= nowMs);
    const pods = ready.map(({ slot }) => ({ id: `pod-${slot}`, slot, address: "127.0.0.1", port, state: "ready" as const }));
    const backend = backendEntry({
      key: KEY,
      containerConcurrency,
      timeoutMs: 3_600_000,
      pods,
      ...(containerConcurrency > 0 && pods.length > 0 ? { queue: 0 } : {}),
    });
    const host = hostEntry();
    return { type: "routes", generation: ++this.#generation, reset, hosts: [host], hostsRemoved: [], backends: [backend], backendsRemoved: [] };
  }

  /** Pods as decided and bounded: new ones become ready after their time, superfluous ones go at once. */
  #follow(nowMs: number): void {
    const { min, max } = scaleBoundsOf({ annotations: this.#annotations, config: this.#config, reachability: this.#reachability });
    const desired = this.deciders.decision(KEY)?.desired ?? -1;
    const bounded = Math.min(Math.max(desired, min), max > 0 ? max : SLOTS, SLOTS);
    if (desired >= 0 && bounded < this.#pods.length) this.#pods = this.#pods.slice(0, bounded);
    for (let slot = this.#pods.length; slot < bounded; slot++) this.#pods.push({ slot, readyMs: nowMs + this.#options.podDelayMs });
    const ready = this.#pods.filter(({ readyMs }) => readyMs <= nowMs).length;
    if (ready === this.#ready) return;
    this.#ready = ready;
    for (const { gateway } of this.#gateways) gateway.receive(this.#routes(false));
    this.#tell(0);
  }

  #arrived(socket: Socket, head: string): void {
    this.#events++;
    for (const [, workMs] of head.matchAll(/GET \/(\d+) /g)) this.#running.add({ socket, dueMs: this.clock.monotonicMs() + Number(workMs) });
  }

  async #send(thread: number, workMs: number): Promise<void> {
    const pool = this.#idle[thread] ?? [];
    const socket = pool.pop() ?? (await this.#connect(thread, pool));
    this.inFlight++;
    socket.write(`GET /${workMs} HTTP/1.1\r\nHost: app.test\r\n\r\n`, "latin1");
  }

  async #connect(thread: number, pool: Socket[]): Promise<Socket> {
    const socket = connect({ port: this.#gateways[thread]?.gateway.port ?? 0, host: "127.0.0.1", noDelay: true });
    let busy = true;
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      this.#events++;
      if (!bytes.toString("latin1").endsWith("ok")) return;
      this.answered++;
      this.inFlight--;
      busy = false;
      pool.push(socket);
    });
    const write = socket.write.bind(socket);
    socket.write = ((...args: Parameters<typeof write>) => {
      busy = true;
      return write(...args);
    }) as typeof socket.write;
    socket.on("close", () => {
      this.#events++;
      const at = pool.indexOf(socket);
      if (at >= 0) pool.splice(at, 1);
      if (!busy) return;
      busy = false;
      this.lost++;
      this.inFlight--;
    });
    await once(socket, "connect");
    return socket;
  }

  async #quiet(): Promise<void> {
    for (let turn = 0, seen = this.#events; turn < QUIET_TURNS; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#events === seen) continue;
      seen = this.#events;
      turn = 0;
    }
  }
}
