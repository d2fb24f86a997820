// Which ports a keeper takes: the asked one or none; else the last one, the default one, or any free one.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openListeningSockets, PortTakenError, type ListeningSockets, type SocketsWanted } from "#keeper";
import type { UpRequest } from "./options.ts";

const DEFAULTS = { api: 6443, http: 8080, internal: 8012, registry: 5000 };

interface Ports {
  readonly api: number;
  readonly http: number;
  /** Not in the records of older versions. */
  readonly internal?: number;
  readonly registry?: number;
}

/** Throws PortTakenError for a port that was asked for. What was chosen is kept in `runDir` for the next start. */
export async function openSockets(request: UpRequest, runDir: string, threads: number): Promise<ListeningSockets> {
  const file = join(runDir, "ports.json");
  const last = lastPorts(file);
  const choices = (asked: number | undefined, kept: number | undefined, usual: number): number[] => (asked === undefined ? [kept ?? usual, usual, 0] : [asked]);
  const api = choices(request.apiPort, last?.api, DEFAULTS.api);
  const http = choices(request.httpPort, last?.http, DEFAULTS.http);
  const internal = choices(request.internalPort, last?.internal, DEFAULTS.internal);
  const registry = request.registryPort === "none" ? [] : choices(request.registryPort, last?.registry, DEFAULTS.registry);
  for (;;) {
    const ports = { apiPort: api[0] ?? 0, httpPort: http[0] ?? 0, internalPort: internal[0] ?? 0, registryPort: registry[0] };
    // Everybody may push to a registry that asks nobody who he is: it stays on this machine.
    const registryHost = request.registryAuth === "none" ? undefined : request.host;
    const wanted = { host: request.host, threads, registryHost, ...ports };
    try {
      const sockets = await openListeningSockets(wanted);
      // Whole or not at all, also after a power cut: a torn one would keep the platform from starting.
      const { apiPort, httpPort, internalPort, registryPort = last?.registry } = sockets.numbers;
      const kept: Ports = { api: apiPort, http: httpPort, internal: internalPort, ...(registryPort === undefined ? {} : { registry: registryPort }) };
      writeFileSync(`${file}.new`, JSON.stringify(kept), { flush: true });
      renameSync(`${file}.new`, file);
      return sockets;
    } catch (error) {
      const list = error instanceof PortTakenError ? listOf(error.port, wanted, { http, internal, api, registry }) : undefined;
      if (list === undefined || list.length === 1) throw error;
      list.shift();
    }
  }
}

type Wanted = Pick<SocketsWanted, "httpPort" | "internalPort" | "registryPort">;

/** The choices of the port that was taken; of two that are the same, those of the one that comes later. */
function listOf(port: number, wanted: Wanted, lists: Readonly<Record<"http" | "internal" | "api" | "registry", number[]>>): number[] {
  if (port === wanted.registryPort) return lists.registry;
  if (port === wanted.internalPort) return lists.internal;
  return port === wanted.httpPort ? lists.http : lists.api;
}

/** Undefined without a readable record: what a crash cut short is no reason not to start. */
function lastPorts(file: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Ports;
  } catch {
    return undefined;
  }
}
