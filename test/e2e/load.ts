// Closed-loop load: a number of clients, each with its own kept-alive connection, each sending its next request when it has the answer.
import { Agent, request } from "node:http";

export interface LoadOptions {
  /** `http://ADDRESS:PORT`. */
  readonly at: string;
  readonly host: string;
  readonly path: string;
  readonly clients: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly answered: number;
  /** Anything but a complete answer with status 200, at most ten different ones with their counts. */
  readonly failures: Readonly<Record<string, number>>;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

const REQUEST_MS_MAX = 60_000;
const KINDS_MAX = 10;

/** Runs for the duration; requests under way then are waited for and counted. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const until = performance.now() + options.durationMs;
  const took: number[] = [];
  const failures: Record<string, number> = {};
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < until) {
      const from = performance.now();
      const status = await once(options, agent);
      if (status === "200") took.push(performance.now() - from);
      else if (status in failures || Object.keys(failures).length < KINDS_MAX) failures[status] = (failures[status] ?? 0) + 1;
    }
    agent.destroy();
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: options.clients }, client));
  const seconds = (performance.now() - from) / 1000;
  took.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0);
  return { answered: took.length, failures, perSecond: Math.round(took.length / seconds), p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) };
}

/** The status of a complete answer, or what went wrong. */
function once({ at, host, path }: LoadOptions, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const call = request(at + path, { agent, headers: { Host: host }, timeout: REQUEST_MS_MAX }, (response) => {
      response.resume();
      response.once("end", () => resolve(String(response.statusCode)));
      response.once("error", (error) => resolve(error.message));
    });
    call.once("timeout", () => call.destroy(new Error(`no answer in ${REQUEST_MS_MAX} ms`)));
    call.once("error", (error) => resolve(error.message));
    call.end();
  });
}
