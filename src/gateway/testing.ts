// What the gateway's tests share: a gateway in this process, raw pods and raw clients on loopback.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { SeededRng, silentLogger, type Clock } from "#core";
import type { Backend, GatewayToControl, RouteDelta, RouteHost } from "#protocol";
import { createGateway, type Gateway, type GatewayOptions } from "./gateway.ts";
import { inFlightBytes } from "./shared/in-flight.ts";

let readings = 0;

/** For tests that only wait for sockets: time all but stands still, however long a busy machine takes, and sleeps end with the signal alone. */
export const socketClock: Clock = {
  monotonicMs: () => 1_000 + ++readings / 1_000,
  wallMs: () => Date.UTC(2026, 0, 1),
  sleep: (_ms, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    }),
};

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly sent: GatewayToControl[];
  /** Resolves with the first message, also one sent already, that fits. */
  message<T extends GatewayToControl["type"]>(type: T): Promise<Extract<GatewayToControl, { type: T }>>;
  routes(delta: Partial<RouteDelta>): void;
  /** What a counter says now. */
  counter(name: string): number;
}

/** Lets sockets and promises of this process run until `holds`. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (await holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("what was awaited did not come about");
}

const ANY_PORT = { port: 0, host: "127.0.0.1" };

/** ESTABLISHED, as /proc writes it. */
const ESTABLISHED = "01";
const LOOKS_MAX = 1_000;

/**
 * Lets the calls to connect of this turn be made, and holds the event loop until the system has let in `count` connections to `port`: they
 * wait for a server of this process to accept them. Rejects when it does not.
 */
export async function allWaiting(port: number, count: number): Promise<void> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const peer = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const rows = readFileSync("/proc/net/tcp", "latin1").split("\n");
    const letIn = rows.filter((row) => {
      const [, , remote = "", state] = row.trim().split(/\s+/);
      return remote.endsWith(peer) && state === ESTABLISHED;
    });
    if (letIn.length >= count) return;
  }
  throw new Error(`the system does not let in ${count} connections to port ${port}`);
}

/** `listen`: where requests from outside come in. */
export async function startGateway(clock: Clock = socketClock, listen: GatewayOptions["listen"] = ANY_PORT): Promise<TestGateway> {
  const sent: GatewayToControl[] = [];
  const listeners = new Set<() => void>();
  const start = {
    thread: 0,
    threads: 1,
    epoch: 1,
    listenFd: -1,
    internalFd: -1,
    inFlight: new SharedArrayBuffer(inFlightBytes(1, 16)),
    slots: 16,
    publicPort: 80,
  };
  const send = (message: GatewayToControl): void => {
    sent.push(message);
    for (const listener of listeners) listener();
  };
  const gateway = createGateway({ start, clock, rng: new SeededRng(7), logger: silentLogger, send, listen, listenInternal: ANY_PORT });
  const stop = new AbortController();
  const running = gateway.run(stop.signal);
  let generation = 0;
  const test: TestGateway = {
    gateway,
    sent,
    message(type) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = sent.find((message) => message.type === type);
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found as never);
        };
        listeners.add(look);
        look();
      });
    },
    routes(delta) {
      generation++;
      gateway.receive({ type: "routes", generation, reset: false, hosts: [], hostsRemoved: [], backends: [], backendsRemoved: [], ...delta });
    },
    counter(name) {
      gateway.receive({ type: "metrics", id: 0 });
      const answer = sent.pop();
      return answer?.type === "metrics" ? (answer.counters[name] ?? 0) : 0;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
  test.routes({ reset: true });
  await test.message("listening");
  return test;
}

export function backendEntry(over: Partial<Backend> = {}): Backend {
  return {
    key: "ns/rev",
    protocol: "http1",
    containerConcurrency: 0,
    timeoutMs: 300_000,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
    serverTiming: false,
    pods: [],
    ...over,
  };
}

export function hostEntry(over: Partial<RouteHost> = {}): RouteHost {
  const splits = [{ backend: "ns/rev", percent: 100, appendHeaders: [] }];
  return { host: "app.test", visibility: "ExternalIP", redirectToHttps: false, paths: [{ prefix: "", headers: [], appendHeaders: [], splits }], ...over };
}

/** The only host leads to the only revision, whose only pod is ready. */
export function oneReadyPod(
  gateway: TestGateway,
  pod: Pick<TestPod, "port">,
  over: { readonly host?: Partial<RouteHost>; readonly backend?: Partial<Backend> } = {},
): void {
  const pods = [{ id: "pod-1", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry(over.host)], backends: [backendEntry({ pods, ...over.backend })] });
}

export interface TestPod extends AsyncDisposable {
  readonly port: number;
  readonly sockets: Set<Socket>;
  connections: number;
  /** New connections are refused from now on; those that are there stay. */
  stopListening(): void;
}

/** A raw server: `serve` gets each connection. */
export async function startPod(serve: (socket: Socket) => void, port = 0): Promise<TestPod> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    pod.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    serve(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const closed = once(server, "close");
  const pod: TestPod = {
    port: (server.address() as AddressInfo).port,
    sockets,
    connections: 0,
    stopListening: () => void server.close(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await closed;
    },
  };
  return pod;
}

/** Answers each head without a body (split at empty lines) with what `answer` makes of it. */
export function answering(answer: (head: string) => string | undefined): (socket: Socket) => void {
  return (socket) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const response = answer(text.slice(0, end + 4));
        text = text.slice(end + 4);
        if (response !== undefined) socket.write(response, "latin1");
      }
    });
  };
}

/** A response with a length. */
export function ok(body: string, headers = ""): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

export interface TestClient extends Disposable {
  readonly socket: Socket;
  send(text: string): void;
  /** Everything received so far. */
  text(): string;
  /** Resolves once what was received fits; rejects when the connection closes before. */
  until(fits: (text: string) => boolean): Promise<string>;
  closed(): Promise<string>;
}

export async function startClient(port: number): Promise<TestClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const chunks: Buffer[] = [];
  let closed = false;
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  socket.on("data", (bytes: Buffer) => {
    chunks.push(bytes);
    changed();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed = true;
    changed();
  });
  await once(socket, "connect");
  const text = (): string => Buffer.concat(chunks).toString("latin1");
  const wait = (done: () => boolean, wrong: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!done() && !wrong()) return;
        listeners.delete(look);
        if (done()) resolve(text());
        else reject(new Error(`the connection closed after ${JSON.stringify(text().slice(0, 500))}`));
      };
      listeners.add(look);
      look();
    });
  return {
    socket,
    send: (data) => void socket.write(data, "latin1"),
    text,
    until: (fits) =>
      wait(
        () => fits(text()),
        () => closed,
      ),
    closed: () =>
      wait(
        () => closed,
        () => false,
      ),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** A request head; `lines` come after Host. */
export function request(path: string, lines: readonly string[] = [], method = "GET"): string {
  return [`${method} ${path} HTTP/1.1`, "Host: app.test", ...lines, "", ""].join("\r\n");
}
