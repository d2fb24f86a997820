// The gateway of one thread: listener, routing state and loops put together.
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Clock, Logger, Rng } from "#core";
import {
  DEFAULT_CLIENTS,
  QUEUE_ROWS_PER_SLOT,
  type ControlToGateway,
  type GatewaySettings,
  type GatewayStart,
  type GatewayToControl,
  type RouteDelta,
} from "#protocol";
import { Backend, QUEUE_DEPTH, type BackendOptions } from "./pods/backend.ts";
import { ColdStarts } from "./start/cold-starts.ts";
import { ClientConnection, refuseConnection } from "./client-connection.ts";
import type { GatewayContext } from "./context.ts";
import { Counters } from "./counters.ts";
import { Doorbell } from "./shared/doorbell.ts";
import { InFlightTable } from "./shared/in-flight.ts";
import { HostPlaces } from "./routes/host-places.ts";
import { LoadReporter, REPORT_PERIOD_MS } from "./load.ts";
import { Observatory } from "./observe/observatory.ts";
import { ParkedHeads } from "./http/parked-heads.ts";
import { acceptBursts } from "./sockets/accept-bursts.ts";
import { Outbox } from "./sockets/outbox.ts";
import { PodConnection } from "./pods/pod-connection.ts";
import type { Pod } from "./pods/pod.ts";
import { proveReady } from "./pods/prove-ready.ts";
import { ReadBuffers } from "./sockets/read-buffers.ts";
import { RoutingTable } from "./routes/routing-table.ts";
import { ServingTurns } from "./pods/serving-turns.ts";
import { SplitTurns } from "./shared/split.ts";
import { StandIns } from "./sockets/stand-ins.ts";
import { Starts } from "./start/start-times.ts";
import { TimerWheel } from "./sockets/timer-wheel.ts";
import { CLOSING_MS } from "./request/tunnel.ts";
import { TrustedProxies } from "./http/trusted-proxies.ts";

/** How late a request's deadline may be noticed. */
const DEADLINE_TICK_MS = 25;
const IDLE_TICK_MS = 1000;
/** How long a place is left to other threads: their bell is heard within it, unless they are busy. */
const YIELD_MS = 1;
const BACKLOG = 4096;
/** Until control has told. */
const NO_SETTINGS: GatewaySettings = { trustedProxies: ["0.0.0.0/0", "::/0"], requestLog: undefined };

type Listen = { readonly fd: number } | { readonly port: number; readonly host: string };

export interface GatewayOptions {
  readonly start: GatewayStart;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly send: (message: GatewayToControl) => void;
  /** An inherited socket, or an address to bind (tests; port 0 is any free one). */
  readonly listen: Listen;
  /** Where requests from inside come in: they see cluster-local names, too. */
  readonly listenInternal?: Listen;
}

export interface Gateway {
  /** Takes a message of the control thread; never throws, never waits. */
  receive(message: ControlToGateway): void;
  /**
   * Waits for the first `routes` message, listens (`listening`) and serves until the signal aborts (at once) or a `drain` has
   * ended; rejects when it cannot listen. A gateway without routes would answer 404 to everything, so it does not accept before.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Accepts nothing any more, from this call on: what waits in the kernel is a successor's. For a thread that dies: its loop looks
   * at its sockets once more after its last turn, and a connection accepted then would be nobody's.
   */
  stopAccepting(): void;
  /** The bound port; 0 before the `listening` message. */
  readonly port: number;
  /** That of the listener for requests from inside; 0 without one. */
  readonly internalPort: number;
}

export function createGateway(options: GatewayOptions): Gateway {
  return new GatewayThread(options);
}

class GatewayThread implements Gateway {
  readonly #options: GatewayOptions;
  readonly #context: GatewayContext;
  readonly #backends = new Map<string, Backend>();
  readonly #backendOptions: BackendOptions;
  readonly #doorbell: Doorbell;
  /** Backends by their row in the table of waiters. */
  readonly #rows = new Map<number, Backend>();
  readonly #turns = new ServingTurns((then) => setImmediate(then));
  readonly #deadlines: TimerWheel;
  readonly #idles: TimerWheel;
  readonly #connections = new Set<ClientConnection>();
  readonly #observatory: Observatory;
  readonly #server: Server;
  readonly #internal: Server | undefined;
  readonly #standIns: StandIns;
  readonly #stop = new AbortController();
  readonly #routed = Promise.withResolvers<void>();
  #port = 0;

  constructor(options: GatewayOptions) {
    const { start, clock, rng, send } = options;
    this.#options = options;
    this.#doorbell = new Doorbell(start.doorbell, {
      thread: start.thread,
      threads: start.threads,
      rows: QUEUE_ROWS_PER_SLOT * start.slots,
      nowMs: () => clock.monotonicMs(),
    });
    this.#deadlines = new TimerWheel(clock, DEADLINE_TICK_MS);
    this.#idles = new TimerWheel(clock, IDLE_TICK_MS);
    const counters = new Counters();
    this.#observatory = new Observatory({
      thread: start.thread,
      logFolder: start.logFolder,
      backends: this.#backends,
      counters,
      clock,
      rng,
      logger: options.logger,
      sendTraces: (requests) => send({ type: "traces", thread: start.thread, requests }),
    });
    this.#context = {
      clock,
      rng,
      places: new HostPlaces(start.threads),
      routes: new RoutingTable(new SplitTurns(start.turns)),
      backends: this.#backends,
      deadlines: this.#deadlines,
      idles: this.#idles,
      load: new LoadReporter({ clock, send, thread: start.thread, epoch: start.epoch }),
      buffers: new ReadBuffers(),
      outbox: new Outbox(),
      parkedHeads: new ParkedHeads(),
      counters,
      observers: this.#observatory.observers,
      starts: new Starts(),
      coldStarts: new ColdStarts(),
      answered: (backend) => this.#answered(backend),
      settings: NO_SETTINGS,
      clients: DEFAULT_CLIENTS,
      trusted: new TrustedProxies(NO_SETTINGS.trustedProxies),
      wake: (backend, nowMs) => this.#wake(backend, nowMs),
      draining: false,
      drainIdleMs: 0,
    };
    this.#backendOptions = {
      inFlight: new InFlightTable(start.inFlight, start),
      doorbell: this.#doorbell,
      rng,
      queueDepth: QUEUE_DEPTH,
      prove: (backend, pod) => this.#prove(backend, pod),
      podDrained: (pod) => send({ type: "podDrained", thread: start.thread, pod: pod.id, generation: pod.removedIn }),
      nowMs: () => clock.monotonicMs(),
      later: (backend) => this.#turns.later(backend),
      moment: (backend) =>
        void clock.sleep(YIELD_MS, this.#stop.signal).then(
          () => backend.momentOver(),
          () => undefined,
        ),
    };
    this.#server = this.#serverFor(false);
    this.#internal = options.listenInternal === undefined ? undefined : this.#serverFor(true);
    this.#standIns = new StandIns({
      serverFor: (isInside) => this.#serverFor(isInside),
      listen: (server, at) => this.#listen(server, at),
      failed: (error) => options.logger.error("gateway thread cannot stand in for another", { err: error }),
    });
  }

  #serverFor(isInside: boolean): Server {
    const closed = (connection: ClientConnection): void => this.#left(connection);
    const server = createServer({ noDelay: true }, (socket) => {
      const most = Math.ceil(this.#context.clients.connectionsMax / this.#options.start.threads);
      if (this.#connections.size >= most) return refuseConnection(socket, this.#context);
      this.#connections.add(new ClientConnection(this.#context, socket, { isInside, closed }));
    });
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get internalPort(): number {
    return (this.#internal?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  receive(message: ControlToGateway): void {
    const { clock, send, start } = this.#options;
    switch (message.type) {
      case "routes":
        this.#apply(message);
        this.#routed.resolve();
        send({ type: "ack", thread: start.thread, generation: message.generation });
        return;
      case "settings":
        this.#context.settings = message.settings;
        this.#context.clients = message.settings.clients ?? DEFAULT_CLIENTS;
        this.#context.trusted = new TrustedProxies(message.settings.trustedProxies);
        this.#observatory.apply(message.settings);
        return;
      case "started": {
        const { pod, wokenAgoMs, createdAgoMs, spawnedAgoMs } = message;
        const nowMs = clock.monotonicMs();
        this.#context.starts.set(pod, { wokenMs: nowMs - wokenAgoMs, createdMs: nowMs - createdAgoMs, spawnedMs: nowMs - spawnedAgoMs });
        return;
      }
      case "metrics": {
        const { counters, coldStarts } = this.#context;
        send({
          type: "metrics",
          thread: start.thread,
          id: message.id,
          counters: { ...counters.samples(), ...coldStarts.samples() },
          requests: this.#observatory.samples(),
        });
        return;
      }
      case "areYouThere":
        return send({ type: "here", thread: start.thread });
      case "standIn":
        // One that drains serves nobody's connections but its own.
        return this.#context.draining ? undefined : this.#standIns.begin(message);
      case "standInEnds":
        return this.#standIns.end(message.thread);
      case "drain":
        this.#drain(message.graceMs, message.idleMs ?? 0);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { start, send, logger } = this.#options;
    const stop = this.#stop;
    const abort = (): void => stop.abort();
    signal.addEventListener("abort", abort, { once: true });
    stop.signal.addEventListener("abort", () => this.#routed.resolve(), { once: true });
    if (signal.aborted) abort();
    await this.#routed.promise;
    if (stop.signal.aborted) return;
    const { listen, listenInternal } = this.#options;
    // First the inner one: a request from outside may lead to it.
    if (this.#internal !== undefined && listenInternal !== undefined) await this.#listen(this.#internal, listenInternal);
    await this.#listen(this.#server, listen);
    this.#port = (this.#server.address() as AddressInfo).port;
    send({ type: "listening", thread: start.thread, epoch: start.epoch });
    logger.info("gateway listens", { thread: start.thread, port: this.#port });
    const loops = [
      this.#deadlines.run(stop.signal),
      this.#idles.run(stop.signal),
      this.#context.load.run(stop.signal),
      this.#observatory.run(stop.signal),
      this.#doorbell.listen(() => this.#called(), stop.signal),
    ];
    await Promise.all(loops);
    signal.removeEventListener("abort", abort);
    await this.#close();
  }

  stopAccepting(): void {
    this.#server.close();
    this.#internal?.close();
    this.#standIns.endAll();
  }

  #listen(server: Server, at: Listen): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const listening = (): void => {
        server.removeListener("error", reject);
        acceptBursts(server);
        server.on("error", (error) => this.#options.logger.error("gateway listener failed", { err: error }));
        resolve();
      };
      // As an argument of its own: among the options it is not heard when there is a descriptor.
      server.listen(at, BACKLOG, listening);
    });
  }

  async #close(): Promise<void> {
    this.#standIns.endAll();
    const servers = [this.#server, this.#internal].filter((server) => server !== undefined);
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    for (const connection of this.#connections) connection.destroy();
    for (const backend of this.#backends.values()) backend.closeIdle();
    await closed;
    await this.#observatory.close();
  }

  #apply(delta: RouteDelta): void {
    const { routes } = this.#context;
    if (delta.reset) {
      const kept = new Set(delta.backends.map((entry) => entry.key));
      routes.clear();
      for (const [key, backend] of this.#backends) if (!kept.has(key)) this.#removeBackend(key, backend, delta.generation);
    }
    for (const entry of delta.backends) {
      const backend = this.#backends.get(entry.key) ?? new Backend(entry, this.#backendOptions);
      this.#backends.set(entry.key, backend);
      const row = backend.row;
      backend.update(entry, delta.generation);
      this.#moved(backend, row);
    }
    for (const host of delta.hosts) routes.set(host);
    for (const host of delta.hostsRemoved) routes.remove(host);
    for (const key of delta.backendsRemoved) {
      const backend = this.#backends.get(key);
      if (backend !== undefined) this.#removeBackend(key, backend, delta.generation);
    }
  }

  #removeBackend(key: string, backend: Backend, generation: number): void {
    this.#backends.delete(key);
    const row = backend.row;
    backend.remove(generation);
    this.#moved(backend, row);
  }

  #moved(backend: Backend, before: number): void {
    if (before !== backend.row && this.#rows.get(before) === backend) this.#rows.delete(before);
    if (backend.row >= 0) this.#rows.set(backend.row, backend);
  }

  #wake(backend: Backend, nowMs: number): void {
    if (nowMs - backend.wokenMs < REPORT_PERIOD_MS) return;
    backend.wokenMs = nowMs;
    this.#options.send({ type: "wake", thread: this.#options.start.thread, backend: backend.key });
  }

  #answered(backend: Backend): void {
    if (backend.wokenMs === -Infinity) return;
    backend.wokenMs = -Infinity;
    this.#options.send({ type: "answered", thread: this.#options.start.thread, backend: backend.key });
  }

  #prove(backend: Backend, pod: Pod): void {
    const { clock, start, send, logger } = this.#options;
    proveReady(
      { backend, pod },
      {
        clock,
        connect: (to) => new PodConnection(to, this.#context),
        podReady: () => send({ type: "podReady", thread: start.thread, backend: backend.key, pod: pod.id }),
      },
      this.#stop.signal,
    ).catch((error: unknown) => logger.error("connection attempts failed", { backend: backend.key, err: error }));
  }

  /** Another thread has left places to waiters of this one. */
  #called(): void {
    for (const row of this.#doorbell.rung()) {
      const backend = this.#rows.get(row);
      if (backend === undefined) this.#doorbell.passOn(row);
      else this.#turns.later(backend);
    }
  }

  #left(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#context.draining && this.#connections.size === 0) this.#stop.abort();
  }

  /** Tunnels live on until shortly before the end, so that they come to theirs in order. Rejects when all were over before. */
  async #lastCalls(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    const lastMs = Math.min(CLOSING_MS, graceMs);
    await clock.sleep(graceMs - lastMs, this.#stop.signal);
    for (const connection of this.#connections) connection.lastCall();
    await clock.sleep(lastMs, this.#stop.signal);
    this.#stop.abort();
  }

  #drain(graceMs: number, idleMs: number): void {
    this.#context.draining = true;
    this.#context.drainIdleMs = idleMs;
    this.stopAccepting();
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size === 0) return this.#stop.abort();
    this.#lastCalls(graceMs).catch(() => undefined);
  }
}
