// Connections to ports of pods: at the recorded address, or where a pod's own process listens.
import { connect, type Socket } from "node:net";
import type { Pod } from "#kinds";
import { addressOf, parseAddress, recordedAddresses, type PodAddress } from "../addresses.ts";
import { listeningPorts } from "./listening-ports.ts";

const LOOPBACK = "127.0.0.1";
/** On this machine a port is open or it is not; a full backlog may need a moment. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A port that is not declared is the machine's: only where one of `pids` listens is it the pod's. */
export async function addressFor(pod: Pod, port: number, pids: readonly number[]): Promise<PodAddress | undefined> {
  const recorded = addressOf(pod, port);
  if (recorded !== undefined) return recorded;
  // Endpoints name the address itself.
  const named = Object.values(recordedAddresses(pod))
    .map(parseAddress)
    .find((address) => address?.port === port);
  if (named !== undefined) return named;
  const { podIP = LOOPBACK } = pod.status ?? {};
  if (podIP !== LOOPBACK) return { host: podIP, port };
  const open = await Promise.all(pids.map(listeningPorts));
  return open.flat().includes(port) ? { host: LOOPBACK, port } : undefined;
}

/** Rejects in the words of Go's `net`. */
export function dial(address: PodAddress | undefined, port: number): Promise<Socket> {
  if (address === undefined) return Promise.reject(refused({ host: LOOPBACK, port }));
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, timeout: CONNECT_TIMEOUT_MS, allowHalfOpen: true });
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("timeout", () => socket.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })));
    socket.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "ECONNREFUSED" ? refused(address) : failed(address, error)));
  });
}

function refused({ host, port }: PodAddress): Error {
  return new Error(`dial tcp4 ${host}:${port}: connect: connection refused`);
}

function failed({ host, port }: PodAddress, error: NodeJS.ErrnoException): Error {
  return new Error(`dial tcp4 ${host}:${port}: ${error.code === "ETIMEDOUT" ? "i/o timeout" : `connect: ${error.message}`}`, { cause: error });
}
