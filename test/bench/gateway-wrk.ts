// HTTP load by wrk: requests from a table made before, latencies and errors from its own counters.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { programPath } from "./programs.ts";

const run = promisify(execFile);

/** A peer that is slow at 5,000 connections is slow, not failed. */
const ANSWER_TIMEOUT = "30s";

export interface WrkRound {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that are no 2xx or 3xx, broken connections, and answers that did not come. */
  readonly failed: number;
}

const DONE = `
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format("\\nRESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
`;

/** Writes the script that sends `requests` in turn, each followed by `bodyBytes` of body; answers with its path. */
export function wrkScript(
  folder: string,
  name: string,
  { requests, bodyBytes = 0 }: { readonly requests: readonly string[]; readonly bodyBytes?: number },
): string {
  const path = join(folder, `${name}.lua`);
  const body = bodyBytes === 0 ? "" : ` .. string.rep("x", ${bodyBytes})`;
  writeFileSync(path, `local requests = {\n${requests.map((request) => `${JSON.stringify(request)}${body},\n`).join("")}}\n${DONE}`);
  return path;
}

export interface WrkOptions {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly script: string;
  /** Command that wrk runs under, as `taskset -c 0`; empty for none. */
  readonly pin: readonly string[];
}

export async function wrk({ port, connections, seconds, script, pin }: WrkOptions, signal: AbortSignal): Promise<WrkRound> {
  const argv = [
    ...pin,
    programPath("wrk") ?? "wrk",
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    ANSWER_TIMEOUT,
    "-s",
    script,
    `http://127.0.0.1:${port}`,
  ];
  const [command = "", ...args] = argv;
  const { stdout } = await run(command, args, { signal });
  return wrkResult(stdout);
}

/** What the script wrote at its end; throws when it wrote nothing, since no figure is not a figure. */
export function wrkResult(stdout: string): WrkRound {
  const line = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout);
  const [requests = 0, micros = 0, p50 = 0, p99 = 0, failed = 0] = (line ?? []).slice(1).map(Number);
  if (requests === 0 || micros === 0) throw new Error(`wrk got no answers:\n${stdout}`);
  return { requests, seconds: micros / 1e6, p50Ms: p50 / 1000, p99Ms: p99 / 1000, failed };
}
