// Warm requests with varying heads through the gateway and through nginx to the same process, interleaved.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "#host";
import { ask, type BenchPlatform } from "./platform.ts";
import { cpuMs, familyOf } from "./proc.ts";
import { programPath, requirePrograms } from "./programs.ts";

const run = promisify(execFile);

/** Throws at once when the reference or the load generator is missing. */
export function requireReference(): void {
  requirePrograms(["nginx", "wrk"]);
}

export interface WarmRound {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  /** Answers that are no 2xx or 3xx, and broken connections. */
  readonly failed: number;
}

/** Heads of browsers, tools and programs; each request takes the next one, each connection begins elsewhere. */
const SCRIPT = `
local heads = {
  { ["User-Agent"] = "curl/7.88.1", ["Accept"] = "*/*" },
  { ["User-Agent"] = "Go-http-client/1.1", ["Accept-Encoding"] = "gzip", ["X-Request-Id"] = "8d1f0c52" },
  { ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ["Accept-Language"] = "en-US,en;q=0.5", ["Accept-Encoding"] = "gzip, deflate, br", ["Cookie"] = "session=0123456789abcdef; theme=dark", ["Upgrade-Insecure-Requests"] = "1" },
  { ["User-Agent"] = "python-requests/2.32", ["Accept"] = "application/json", ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
}
local requests = {}
local at = 0
function init(args)
  for index, head in ipairs(heads) do
    head["Host"] = args[1]
    for path = 1, 4 do requests[#requests + 1] = wrk.format("GET", "/page/" .. path .. "?from=" .. index, head) end
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("\\nRESULT %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
`;

interface Target {
  readonly port: number;
  readonly host: string;
  readonly pids: () => readonly number[];
}

interface WarmOptions {
  readonly service: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** As many as there are gateway threads. */
  readonly workers: number;
}

export async function warmRequests(
  platform: BenchPlatform,
  options: WarmOptions,
  signal: AbortSignal,
): Promise<{ readonly gateway: WarmRound[]; readonly nginx: WarmRound[] }> {
  const folder = mkdtempSync(join(tmpdir(), "eider-bench-nginx-"));
  const script = join(folder, "heads.lua");
  writeFileSync(script, SCRIPT);
  const { port } = pods(platform, options.service);
  const nginx = await startNginx(folder, { backend: port, workers: options.workers });
  try {
    const targets = {
      gateway: { port: platform.httpPort, host: platform.hostOf(options.service), pids: () => [platform.state.keeperPid, platform.state.pid] },
      nginx: { port: nginx.port, host: "bench", pids: () => familyOf(nginx.process.pid ?? 0) },
    };
    const rounds: { readonly gateway: WarmRound[]; readonly nginx: WarmRound[] } = { gateway: [], nginx: [] };
    for (const name of ["gateway", "nginx"] as const) await load(targets[name], { ...options, seconds: 2, script }, signal);
    for (let round = 0; round < options.rounds; round++) {
      for (const name of ["gateway", "nginx"] as const) rounds[name].push(await load(targets[name], { ...options, script }, signal));
    }
    return rounds;
  } finally {
    const ended = once(nginx.process, "exit");
    nginx.process.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function pods(platform: BenchPlatform, service: string): { readonly port: number } {
  return { port: Number(platform.podOf(service).program.env["PORT"]) };
}

async function load(target: Target, { connections, seconds, script }: WarmOptions & { readonly script: string }, signal: AbortSignal): Promise<WarmRound> {
  const cpu = (): number => target.pids().reduce((total, pid) => total + cpuMs(pid), 0);
  const before = cpu();
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, `http://127.0.0.1:${target.port}`, "--", target.host];
  const { stdout } = await run(programPath("wrk") ?? "wrk", args, { signal });
  const usedMs = cpu() - before;
  const [, requests = 0, micros = 1, p50 = 0, failed = 0] = (/^RESULT .*$/m.exec(stdout)?.[0] ?? "").split(" ").map(Number);
  if (requests === 0) throw new Error(`wrk got no answers:\n${stdout}`);
  return { cpuMicros: (usedMs * 1000) / requests, perSecond: requests / (micros / 1e6), p50Ms: p50 / 1000, failed };
}

async function startNginx(
  folder: string,
  { backend, workers }: { readonly backend: number; readonly workers: number },
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const port = 21_000 + (process.pid % 9_000);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  const config = `
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; worker_processes ${workers}; user ${process.getuid?.() === 0 ? "root" : "nobody"};
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 100000000; ${temporary}
  upstream app { server 127.0.0.1:${backend}; keepalive 256; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port} reuseport; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } }
}`;
  writeFileSync(join(folder, "nginx.conf"), config);
  const child = spawn(programPath("nginx") ?? "nginx", ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await ask(port, "bench").catch(() => undefined);
    if (answer?.status === 200) return { process: child, port };
    await systemClock.sleep(50, new AbortController().signal);
  }
  child.kill("SIGTERM");
  throw new Error("nginx does not answer");
}
