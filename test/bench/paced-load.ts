// Open-loop load: requests begin by the clock, whatever became of those before; a late start counts as latency.
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { systemClock } from "#host";

export interface PacedLoad {
  readonly port: number;
  /** Requests a second, at a time in milliseconds after the start. */
  readonly rate: (atMs: number) => number;
  readonly durationMs: number;
  readonly hostOf: (index: number) => string;
  readonly pathOf: (index: number) => string;
}

export interface PacedResult {
  readonly sent: number;
  /** Milliseconds from the moment that a request was due to its whole answer with status 200, ascending. */
  readonly latencies: readonly number[];
  /** What else came, with counts. */
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
}

const TICK_MS = 5;
const REQUEST_MS_MAX = 60_000;
const UNDER_WAY_MAX = 5_000;

/** Runs for the duration and waits for what is under way then. Throws when more requests pile up than a client could bear. */
export async function pacedLoad(load: PacedLoad, signal: AbortSignal): Promise<PacedResult> {
  const agent = new Agent({ keepAlive: true });
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  const underWay = new Set<Promise<void>>();
  const from = performance.now();
  let due = 0;
  let sent = 0;
  for (let atMs = 0; atMs < load.durationMs; atMs += TICK_MS) {
    await systemClock.sleep(from + atMs - performance.now(), signal);
    due += (load.rate(atMs) * TICK_MS) / 1000;
    for (; sent < Math.floor(due); sent++) {
      if (underWay.size >= UNDER_WAY_MAX) throw new Error(`${UNDER_WAY_MAX} requests wait for an answer`);
      const one = once(load, sent, agent).then((outcome) => {
        underWay.delete(one);
        if (outcome === "200") latencies.push(performance.now() - from - atMs);
        else failures[outcome] = (failures[outcome] ?? 0) + 1;
      });
      underWay.add(one);
    }
  }
  const seconds = (performance.now() - from) / 1000;
  await Promise.all(underWay);
  agent.destroy();
  return { sent, latencies: latencies.toSorted((a, b) => a - b), failures, seconds };
}

/** The status of a whole answer, or what went wrong. */
function once({ port, hostOf, pathOf }: PacedLoad, index: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, agent, path: pathOf(index), headers: { Host: hostOf(index) }, timeout: REQUEST_MS_MAX };
    const call = request(options, (response) => {
      response.resume();
      response.once("end", () => resolve(String(response.statusCode)));
      response.once("error", (error) => resolve(error.message));
    });
    call.once("timeout", () => call.destroy(new Error(`no answer in ${REQUEST_MS_MAX} ms`)));
    call.once("error", (error) => resolve(error.message));
    call.end();
  });
}

/** The latency that `share` of the answers did not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const failed = ({ failures }: Pick<PacedResult, "failures">): number => Object.values(failures).reduce((sum, count) => sum + count, 0);
