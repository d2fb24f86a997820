// Which ports a keeper takes: the asked one or none; else the last one, the default one, or any free one.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openListeningSockets, PortTakenError, type ListeningSockets } from "#keeper";
import type { UpRequest } from "./options.ts";

const DEFAULTS = { api: 6443, http: 8080 };

interface Ports {
  readonly api: number;
  readonly http: number;
}

/** Throws PortTakenError for a port that was asked for. What was chosen is kept in `runDir` for the next start. */
export async function openSockets(request: UpRequest, runDir: string, threads: number): Promise<ListeningSockets> {
  const file = join(runDir, "ports.json");
  const last = lastPorts(file);
  const choices = (asked: number | undefined, kept: number | undefined, usual: number): number[] => (asked === undefined ? [kept ?? usual, usual, 0] : [asked]);
  const api = choices(request.apiPort, last?.api, DEFAULTS.api);
  const http = choices(request.httpPort, last?.http, DEFAULTS.http);
  for (;;) {
    const wanted = { host: request.host, apiPort: api[0] ?? 0, httpPort: http[0] ?? 0, threads };
    try {
      const sockets = await openListeningSockets(wanted);
      // Whole or not at all, also after a power cut: a torn one would keep the platform from starting.
      writeFileSync(`${file}.new`, JSON.stringify({ api: sockets.numbers.apiPort, http: sockets.numbers.httpPort }), { flush: true });
      renameSync(`${file}.new`, file);
      return sockets;
    } catch (error) {
      const list = error instanceof PortTakenError ? (error.port === wanted.httpPort ? http : api) : undefined;
      if (list === undefined || list.length === 1) throw error;
      list.shift();
    }
  }
}

/** Undefined without a readable record: what a crash cut short is no reason not to start. */
function lastPorts(file: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Ports;
  } catch {
    return undefined;
  }
}
