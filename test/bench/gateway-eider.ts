// Entry file: gateway threads as the platform runs them, in a process without the control plane, so that its CPU time and memory are theirs.
import { createServer } from "node:http";
import { BoundSocket, type AddressInfo } from "node:net";
import { silentLogger } from "#core";
import { createSystemRng, systemClock } from "#host";
import type { Backend, GatewaySettings, GatewayToControl, RouteDelta } from "#protocol";
import { GatewayThreads } from "../../src/main/gateway-threads.ts";
import { hostName, HOSTS } from "./gateway-requests.ts";

export interface EiderOptions {
  readonly threads: number;
  /** Port of the only pod. */
  readonly backend: number;
  readonly containerConcurrency: number;
  readonly settings: GatewaySettings;
  /** Where the access log is written to. */
  readonly logFolder: string;
}

/** What the process says once it serves. */
export interface EiderReady {
  readonly port: number;
  /** `/metrics` for a scraper, `/threads` for the counters of each thread. */
  readonly controlPort: number;
}

const HOST = "127.0.0.1";
const SLOTS = 1_024;
/** Hosts of this table that lead to one revision: its Service's, its tags', its domains'. */
const HOSTS_PER_REVISION = 4;
const POD_STATE = "ready" as const;

/** 1,000 hosts on 250 revisions, all with limits; the pods of all of them are the one back-end. */
function routes({ backend, containerConcurrency }: EiderOptions): RouteDelta {
  const keyOf = (host: number): string => `default/app-${host - (host % HOSTS_PER_REVISION)}`;
  const entries = new Map<string, Backend>();
  for (let host = 0; host < HOSTS; host += HOSTS_PER_REVISION) {
    const pod = { id: `pod-${host}`, slot: host / HOSTS_PER_REVISION, address: HOST, port: backend, state: POD_STATE };
    const limits = { containerConcurrency, timeoutMs: 300_000, responseStartTimeoutMs: 300_000, idleTimeoutMs: 0, serverTiming: false };
    entries.set(keyOf(host), { key: keyOf(host), protocol: "http1", ...limits, pods: [pod] });
  }
  const hosts = Array.from({ length: HOSTS }, (_, host) => ({
    host: hostName(host),
    visibility: "ExternalIP" as const,
    redirectToHttps: false,
    paths: [{ prefix: "", headers: [], appendHeaders: [], splits: [{ backend: keyOf(host), percent: 100, appendHeaders: [] }] }],
  }));
  return { type: "routes", generation: 1, reset: true, hosts, hostsRemoved: [], backends: [...entries.values()], backendsRemoved: [] };
}

async function serve(options: EiderOptions): Promise<EiderReady> {
  const first = new BoundSocket({ host: HOST, port: 0, reusePort: true });
  const { port } = first.address();
  const sockets = [first, ...Array.from({ length: options.threads - 1 }, () => new BoundSocket({ host: HOST, port, reusePort: true }))];
  const waiting = new Map<number, (counters: Readonly<Record<string, number>>) => void>();
  const batch = routes(options);
  const threads = new GatewayThreads({
    sockets: sockets.map((socket) => ({ listenFd: socket.fd() })),
    publicPort: port,
    slots: SLOTS,
    logger: silentLogger,
    clock: systemClock,
    rng: createSystemRng(),
    settings: () => options.settings,
    logFolder: options.logFolder,
    firstBatch: () => batch,
    onMessage(message: GatewayToControl) {
      if (message.type === "metrics") waiting.get(message.id)?.(message.counters);
    },
    onGone: (thread) => {
      throw new Error(`gateway thread ${thread} died`);
    },
    nextSockets: () => Promise.reject(new Error("no other socket")),
    onHopeless: () => undefined,
  });
  await threads.start();
  let questions = 1_000_000;
  const countersOf = (thread: number): Promise<Readonly<Record<string, number>>> =>
    new Promise((resolve) => {
      const id = questions++;
      waiting.set(id, (counters) => {
        waiting.delete(id);
        resolve(counters);
      });
      threads.send(thread, { type: "metrics", id });
    });
  const control = createServer((request, response) => {
    const answer =
      request.url === "/metrics"
        ? threads.metricsText(() => true)
        : Promise.all(sockets.map((_, thread) => countersOf(thread))).then((all) => JSON.stringify(all));
    answer.then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => control.listen(0, HOST, resolve));
  return { port, controlPort: (control.address() as AddressInfo).port };
}

console.log(JSON.stringify(await serve(JSON.parse(process.argv[2] ?? "") as EiderOptions)));
