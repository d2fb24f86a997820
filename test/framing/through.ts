// What we accept, through a real nginx and through our whole gateway: an application behind must see the same requests, no more and no fewer.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, METHODS } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backendEntry, hostEntry, startGateway } from "../../src/gateway/testing.ts";
import { inputOf, type Input } from "./inputs.ts";
import { frameRequests, type Message } from "./ours.ts";

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
/** Connections at a time. */
const PARALLEL = 32;
/** Follows every input: what a proxy makes of it shows where it believes the input to end. */
const SENTINEL = "GET /sentinel HTTP/1.1\r\nHost: app.test\r\n\r\n";

export interface ThroughOptions {
  readonly proxy: "nginx" | "gateway";
  readonly seed: number;
  /** Inputs to send; those that we do not accept whole are passed over and not counted. */
  readonly count: number;
  /** What the proxy gets instead of an input; for planted faults. */
  readonly send?: (text: string) => string;
  readonly progress?: (done: number) => void;
}

export interface ThroughFinding {
  readonly seed: number;
  readonly index: number;
  readonly input: string;
  readonly expected: readonly string[];
  readonly answer: string;
}

export interface ThroughResult {
  readonly inputs: number;
  readonly requests: number;
  /** Inputs of which the proxy refuses something, by its status. */
  readonly refused: ReadonlyMap<string, number>;
  readonly findings: readonly ThroughFinding[];
  readonly differing: number;
}

/** The program's version, or undefined when it is not installed. */
export function nginxVersion(): string | undefined {
  const run = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  return run.status === 0 ? /nginx\/(\S+)/.exec(run.stderr)?.[1] : undefined;
}

function configuration(folder: string, applicationPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ");
  return `daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log crit;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 0;
  client_header_timeout 2s;
  client_body_timeout 2s;
  keepalive_timeout 2s;
  keepalive_requests 1000000;
  upstream app { server 127.0.0.1:${applicationPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen unix:${folder}/front.sock;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host app.test;
      proxy_set_header Expect "";
    }
  }
}
`;
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("hex");
}

/** Answers with what it understood, in a field: so HEAD tells it, too. */
async function startApplication(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (incoming, response) => {
    const answer = (body: string): void => void response.setHeader("X-Saw", `${incoming.method} ${incoming.url} ${body}.`).end();
    bodyOf(incoming).then(answer, () => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A proxy before the application, and how to connect to it. */
interface Proxy extends AsyncDisposable {
  readonly at: { readonly path: string } | { readonly port: number; readonly host: string };
}

/** Hosts that inputs name; others get 404. */
const HOSTS = ["a", "b", "app.test", "other.test", "[::1]", ""];

async function startOurs(applicationPort: number): Promise<Proxy> {
  const gateway = await startGateway();
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: applicationPort, state: "ready" as const }];
  gateway.routes({ hosts: HOSTS.map((host) => hostEntry({ host })), backends: [backendEntry({ pods })] });
  return { at: { port: gateway.gateway.port, host: "127.0.0.1" }, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

async function startNginx(folder: string, applicationPort: number): Promise<Proxy> {
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration(folder, applicationPort));
  const child = spawn("nginx", ["-c", file, "-p", folder], { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  // It serves once it can be connected to.
  for (let tries = 0; !(await canConnect(join(folder, "front.sock"))); tries++) {
    if (tries > 100_000 || child.exitCode !== null) throw new Error("nginx does not start");
  }
  return {
    at: { path: join(folder, "front.sock") },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => setImmediate(() => resolve(false)));
  });
}

/** What came back on one connection for `bytes`, sent in pieces, until the sentinel is answered or the proxy closes. */
function ask(proxy: Proxy, bytes: Buffer, cuts: readonly number[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...proxy.at, noDelay: true });
    let answer = "";
    socket.on("data", (part: Buffer) => {
      answer += part.toString("latin1");
      if (!answer.includes("GET /sentinel ")) return;
      // Without a reset each connection would keep its port for a minute; a Unix socket has none.
      if ("port" in proxy.at) socket.resetAndDestroy();
      else socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    const write = (piece: number, from: number): void => {
      const to = cuts[piece] ?? bytes.length;
      if (to > from) socket.write(bytes.subarray(from, to));
      if (to < bytes.length) setImmediate(() => write(piece + 1, Math.max(from, to)));
    };
    write(0, 0);
  });
}

/** A request as the application tells it. */
function sawFor({ start, body }: Message): string {
  const [method = "", target = ""] = start.split(" ");
  const path = /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1] ?? target;
  return `${method} ${path.startsWith("/") || path === "*" ? path : `/${path}`} ${Buffer.from(body, "latin1").toString("hex")}`;
}

/** The requests of an input that we accept whole and that Node could serve; undefined when there is something else in it. */
function acceptedWhole(input: Input): readonly Message[] | undefined {
  const { messages, refused } = frameRequests(input);
  const last = messages.at(-1);
  if (refused !== undefined || last?.end !== input.bytes.length) return undefined;
  const plain = messages.every(({ start, upgrade }) => !upgrade && KNOWN_METHODS.has(start.split(" ")[0] ?? "") && !/[\x80-\xff]/.test(start));
  return plain ? messages : undefined;
}

/** Refusals by the proxy itself; a time-out would mean that it waits for more of a message that we hold for whole. */
const REFUSALS: ReadonlySet<string> = new Set(["400", "404", "405", "414", "501", "505"]);

/** Undefined when nginx saw the same requests, its status when it refused one and saw those before it the same, else false. */
export function verdictOn(answer: string, expected: readonly string[], stays: boolean): string | undefined | false {
  const heads = answer.split(/^(?=HTTP\/1\.1 [2-5])/m).filter((head) => /^HTTP\/1\.1 [2-5]/.test(head));
  const wanted = [...expected, "GET /sentinel "];
  for (const [index, head] of heads.entries()) {
    const saw = /^X-Saw: (.*)\.\r$/im.exec(head)?.[1];
    const status = head.slice(9, 12);
    // The sentinel is a request for everybody: its refusal shows that its beginning was sought elsewhere.
    if (saw === undefined) return index < expected.length && REFUSALS.has(status) ? status : false;
    if (saw !== wanted[index]) return false;
  }
  if (heads.length === wanted.length) return undefined;
  if (heads.length === expected.length && !stays) return undefined;
  // What `Connection` says is understood in many ways; who says that it closes, earlier than we do, frames nothing otherwise.
  return /^Connection: close\r$/m.test(heads.at(-1) ?? "") ? "closes" : false;
}

export async function fuzzThrough(options: ThroughOptions): Promise<ThroughResult> {
  const folder = mkdtempSync(join(tmpdir(), "eider-through-"));
  const refused = new Map<string, number>();
  const findings: ThroughFinding[] = [];
  let index = 0;
  let inputs = 0;
  let requests = 0;
  let differing = 0;
  const work = async (proxy: Proxy): Promise<void> => {
    while (inputs < options.count) {
      const own = index++;
      const input = inputOf(options.seed, own, "requests");
      const messages = acceptedWhole(input);
      if (messages === undefined) continue;
      inputs++;
      requests += messages.length;
      if (inputs % 10_000 === 0) options.progress?.(inputs);
      const text = input.bytes.toString("latin1");
      const stays = messages.at(-1)?.keepAlive === true;
      const answer = await ask(proxy, Buffer.from((options.send?.(text) ?? text) + SENTINEL, "latin1"), options.proxy === "gateway" ? input.cuts : []);
      const expected = messages.map(sawFor);
      const result = verdictOn(answer, expected, stays);
      if (typeof result === "string") refused.set(result, (refused.get(result) ?? 0) + 1);
      if (result !== false) continue;
      differing++;
      if (findings.length < 5) findings.push({ seed: options.seed, index: own, input: text, expected, answer });
    }
  };
  try {
    await using running = new AsyncDisposableStack();
    const { port } = running.use(await startApplication());
    const proxy = running.use(await (options.proxy === "nginx" ? startNginx(folder, port) : startOurs(port)));
    await Promise.all(Array.from({ length: PARALLEL }, () => work(proxy)));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { inputs, requests, refused, findings, differing };
}
