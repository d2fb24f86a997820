// The contenders of the gateway bench, each in front of one back-end: nginx, haproxy, Knative's queue-proxy and activator, Eider.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "#host";
import type { GatewaySettings } from "#protocol";
import { nodeFlags } from "../../src/main/options.ts";
import { holderOfPort } from "../../src/keeper/listening-sockets.ts";
import { activatorApi, type ActivatorApi } from "./gateway-activator-api.ts";
import type { EiderOptions, EiderReady } from "./gateway-eider.ts";
import { haproxyConfig, nginxBackendConfig, nginxConfig, relayConfig } from "./gateway-configs.ts";
import { ask } from "./platform.ts";
import { familyOf } from "./proc.ts";
import { programPath } from "./programs.ts";

/** Something that requests go to. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Header lines that only this one needs. */
  readonly lines: readonly string[];
  /** Whose CPU time and memory count; none for the back-end itself. */
  readonly pids: () => readonly number[];
  /** Port of `/metrics` and `/threads`; undefined where nothing is scraped. */
  readonly controlPort?: number;
  stop(): Promise<void>;
}

export interface Ground {
  readonly folder: string;
  /** Command that contenders run under, as `taskset -c 1`; empty for none. */
  readonly pin: readonly string[];
  /** Port of the back-end. */
  readonly backend: number;
  /** The Node binary that Eider runs with: no other process shares its pages. */
  readonly node: string;
}

/** Revisions' limit for all that have one: the largest that Knative allows. */
export const CONTAINER_CONCURRENCY = 1_000;
export const NAMES = ["direct", "relay", "nginx", "haproxy", "queue-proxy", "activator", "eider"] as const;
export type Name = (typeof NAMES)[number];

/** What a gateway has switched on: an access log, and traces of a hundredth of the requests that come without a trace. */
export const SETTINGS: GatewaySettings = {
  trustedProxies: [],
  requestLog: undefined,
  accessLog: { file: "eider-access.log", format: "json" },
  tracing: { rate: 0.01 },
};

const READY_ATTEMPTS = 200;
const READY_EVERY_MS = 50;
const forever = new AbortController().signal;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a program; its output goes to a file of the folder, unless it is asked for. */
export function start(
  ground: Pick<Ground, "folder">,
  argv: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly log: string; readonly piped?: boolean },
): ChildProcess {
  const log = openSync(join(ground.folder, options.log), "a");
  const [command = "", ...args] = argv;
  return spawn(command, args, { stdio: ["pipe", options.piped === true ? "pipe" : log, log], env: { ...process.env, ...options.env } });
}

/** Ends it. Knative's programs take half a minute to end in order; nginx must, since a killed master leaves its worker behind. */
export async function stopped(child: ChildProcess, signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** The first line that a program prints, as JSON. */
export async function firstLine<T>(child: ChildProcess): Promise<T> {
  if (child.stdout === null) throw new Error("the output is a pipe");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), once(child, "exit").then(() => [""])])) as string[];
  if (line === undefined || line === "") throw new Error("a process of this bench did not start: see its log");
  return JSON.parse(line) as T;
}

/** Waits until the contender answers for the first host; one that does not is ended. */
async function answering(port: number, lines: readonly string[], child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < READY_ATTEMPTS && child.exitCode === null; attempt++) {
    const answer = await ask(port, `app-0.default.example.com\r\n${lines.map((line) => `${line}\r\n`).join("")}X-Bench: 1`).catch(() => undefined);
    if (answer?.status === 200) return;
    await systemClock.sleep(READY_EVERY_MS, forever);
  }
  await stopped(child, "SIGTERM");
  throw new Error(`a contender does not answer: ${child.spawnargs.join(" ").slice(0, 200)}`);
}

/** nginx as the application: small answers, and a file of 1 MB. */
export async function startBackend(ground: Omit<Ground, "backend">): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const folder = join(ground.folder, "backend");
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  writeFileSync(join(folder, "large"), Buffer.alloc(1_000_000, "x"));
  writeFileSync(join(folder, "nginx.conf"), nginxBackendConfig({ folder, port }));
  const child = start(ground, [...ground.pin, ...nginxCommand(folder)], { log: "backend.log" });
  await answering(port, [], child);
  return { port, stop: () => stopped(child, "SIGTERM") };
}

const nginxCommand = (folder: string): string[] => [
  programPath("nginx") ?? "nginx",
  "-p",
  folder,
  "-e",
  join(folder, "error.log"),
  "-c",
  join(folder, "nginx.conf"),
];

async function nginx(ground: Ground): Promise<Contender> {
  const folder = join(ground.folder, `nginx-${ground.backend}`);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), nginxConfig({ folder, port, backend: ground.backend }));
  const child = start(ground, [...ground.pin, ...nginxCommand(folder)], { log: "nginx.log" });
  await answering(port, [], child);
  return { name: "nginx", port, lines: [], pids: () => familyOf(child.pid ?? 0), stop: () => stopped(child, "SIGTERM") };
}

async function haproxy(ground: Ground): Promise<Contender> {
  const folder = join(ground.folder, `haproxy-${ground.backend}`);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const { config, map } = haproxyConfig({ folder, port, backend: ground.backend });
  writeFileSync(join(folder, "hosts.map"), map);
  return haproxyProcess(ground, "haproxy", { config, folder, port });
}

async function relay(ground: Ground): Promise<Contender> {
  const folder = join(ground.folder, `relay-${ground.backend}`);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  return haproxyProcess(ground, "relay", { config: relayConfig({ port, backend: ground.backend }), folder, port });
}

async function haproxyProcess(
  ground: Ground,
  name: "haproxy" | "relay",
  { config, folder, port }: { readonly config: string; readonly folder: string; readonly port: number },
): Promise<Contender> {
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, config);
  // `-db`: in the foreground. Its access log is its output, which is a file.
  const child = start(ground, [...ground.pin, programPath("haproxy") ?? "haproxy", "-db", "-f", file], { log: `${name}.log` });
  await answering(port, [], child);
  return { name, port, lines: [], pids: () => familyOf(child.pid ?? 0), stop: () => stopped(child) };
}

interface QueueProxy {
  readonly port: number;
  readonly child: ChildProcess;
}

async function queueProxyProcess(ground: Ground, program: string): Promise<QueueProxy> {
  const port = await freePort();
  const env = {
    CONTAINER_CONCURRENCY: String(CONTAINER_CONCURRENCY),
    QUEUE_SERVING_PORT: String(port),
    QUEUE_SERVING_TLS_PORT: "0",
    USER_PORT: String(ground.backend),
    REVISION_TIMEOUT_SECONDS: "300",
    REVISION_RESPONSE_START_TIMEOUT_SECONDS: "300",
    SERVING_READINESS_PROBE: JSON.stringify({ tcpSocket: { host: "127.0.0.1", port: ground.backend }, successThreshold: 1 }),
    SERVING_LOGGING_CONFIG: "",
    SERVING_LOGGING_LEVEL: "error",
    SERVING_NAMESPACE: "default",
    SERVING_SERVICE: "app-0",
    SERVING_CONFIGURATION: "app-0",
    SERVING_REVISION: "app-0",
    SERVING_POD: "app-0-pod",
    SERVING_POD_IP: "127.0.0.1",
    SYSTEM_NAMESPACE: "knative-serving",
  };
  const child = start(ground, [...ground.pin, program], { env, log: "queue-proxy.log" });
  await answering(port, [], child);
  return { port, child };
}

/** Port of its plain listener; Knative's activator has no setting for it, nor for the others. */
const ACTIVATOR_PORT = 8012;
const ACTIVATOR_PORTS: readonly number[] = [ACTIVATOR_PORT, 8013, 8008];
const QUEUE_PROXY_PORTS: readonly number[] = [8022, 9090];

/** Why a program with ports of its own cannot run: another one, perhaps an Eider, has them. */
export function taken(ports: readonly number[]): string | undefined {
  const port = ports.find((each) => holderOfPort(each) !== undefined);
  return port === undefined ? undefined : `its port ${port} is in use by ${holderOfPort(port)}`;
}

async function activator(ground: Ground, program: string, queue: QueueProxy): Promise<Contender> {
  const api: ActivatorApi = await activatorApi(ground.folder, { queuePort: queue.port, containerConcurrency: CONTAINER_CONCURRENCY });
  const env = { KUBECONFIG: api.kubeconfig, POD_NAME: "activator", POD_IP: api.address, SYSTEM_NAMESPACE: "knative-serving", METRICS_DOMAIN: "bench" };
  const child = start(ground, [...ground.pin, program], { env, log: "activator.log" });
  const lines = ["Knative-Serving-Namespace: default", "Knative-Serving-Revision: app-0"];
  const stop = async (): Promise<void> => {
    await stopped(child);
    await api.close();
  };
  try {
    await answering(ACTIVATOR_PORT, lines, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: "activator", port: ACTIVATOR_PORT, lines, pids: () => [child.pid ?? 0, queue.child.pid ?? 0], stop };
}

export async function eider(ground: Ground, over: Partial<EiderOptions> = {}): Promise<Contender> {
  const { backend, folder: logFolder } = ground;
  const options: EiderOptions = { threads: 1, backend, containerConcurrency: CONTAINER_CONCURRENCY, settings: SETTINGS, logFolder, ...over };
  const flags = nodeFlags(["--conditions=source"]);
  const argv = [...ground.pin, ground.node, ...flags, join(import.meta.dirname, "gateway-eider.ts"), JSON.stringify(options)];
  const child = start(ground, argv, { log: "eider.log", piped: true });
  const { port, controlPort } = await firstLine<EiderReady>(child);
  await answering(port, [], child);
  return { name: "eider", port, lines: [], pids: () => [child.pid ?? 0], controlPort, stop: () => stopped(child) };
}

/** Without these there still is a comparison. */
const PEERS: ReadonlySet<Name> = new Set(["relay", "haproxy", "queue-proxy", "activator"]);

export interface Skipped {
  readonly name: Name;
  readonly why: string;
}

/** Starts those of `names` that can be; the others are told with the reason. They run at once, and are idle until they are asked. */
export async function startContenders(
  ground: Ground,
  names: readonly Name[],
): Promise<{ readonly contenders: Contender[]; readonly skipped: Skipped[]; stop(): Promise<void> }> {
  const contenders: Contender[] = [];
  const skipped: Skipped[] = [];
  const queues: QueueProxy[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([...contenders.map((each) => each.stop()), ...queues.map(({ child }) => stopped(child))]);
  };
  const programs = { queue: process.env["QUEUE_PROXY"], activator: process.env["ACTIVATOR"] };
  const starts: Readonly<Record<Name, () => Promise<Contender | string>>> = {
    direct: () => Promise.resolve({ name: "direct", port: ground.backend, lines: [], pids: () => [], stop: () => Promise.resolve() }),
    relay: () => (programPath("haproxy") === undefined ? Promise.resolve("haproxy is not installed") : relay(ground)),
    nginx: () => nginx(ground),
    haproxy: () => (programPath("haproxy") === undefined ? Promise.resolve("not installed") : haproxy(ground)),
    "queue-proxy": async () => {
      if (programs.queue === undefined) return "QUEUE_PROXY is not set";
      const why = taken(QUEUE_PROXY_PORTS);
      if (why !== undefined) return why;
      const queue = await queueProxyProcess(ground, programs.queue);
      queues.push(queue);
      return { name: "queue-proxy", port: queue.port, lines: [], pids: () => [queue.child.pid ?? 0], stop: () => Promise.resolve() };
    },
    activator: async () => {
      if (programs.activator === undefined) return "ACTIVATOR is not set";
      const queue = queues[0];
      if (queue === undefined) return "it needs queue-proxy behind it";
      return taken(ACTIVATOR_PORTS) ?? (await activator(ground, programs.activator, queue));
    },
    eider: () => eider(ground),
  };
  try {
    for (const name of NAMES.filter((each) => names.includes(each))) {
      const started = await starts[name]().catch((error: unknown) => {
        if (!PEERS.has(name)) throw error;
        return String(error);
      });
      if (typeof started === "string") skipped.push({ name, why: started });
      else contenders.push(started);
    }
    return { contenders, skipped, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
