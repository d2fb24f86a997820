// Which range a data folder's Services have their addresses from: chosen once, kept by the address of the Service `kubernetes`. Two platforms on
// a machine have two ranges, since pods of both reach them.
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import type { Clock } from "#core";
import { SERVICE_RANGE_DEFAULT, serviceRange, type ServiceRange } from "#kinds";

export interface RangeOptions {
  /** The address of the Service `kubernetes`; undefined in a new data folder. */
  readonly apiAddress: string | undefined;
  /** Six hexadecimal digits of the data folder: where the search begins. */
  readonly mark: string;
  /** Whether the addresses can be made reachable; where not, all platforms may have the same. */
  readonly reachable: boolean;
  readonly clock: Clock;
}

/** 10.97.0.0 to 10.111.255.255, by pieces of 16,384: beside Kubernetes' usual range, which older data folders have. */
const PIECES = 60;
const PIECE_BITS = 18;
const CLAIM_EVERY_MS = 10_000;

/** The n-th piece. Pure. */
export function pieceAt(number: number): string {
  return `10.${97 + (number >> 2)}.${(number & 3) << 6}.0/${PIECE_BITS}`;
}

/** The range that an address of the Service `kubernetes` tells. Pure. */
export function rangeOf(apiAddress: string): string {
  const [a = "", b = "", c = "0"] = apiAddress.split(".");
  const net = `${a}.${b}`;
  return `${net}.0.0/16` === SERVICE_RANGE_DEFAULT ? SERVICE_RANGE_DEFAULT : `${net}.${Number(c) & 0xc0}.0/${PIECE_BITS}`;
}

/** Claims it, so that a platform that is new takes another; the claim ends with this process. */
export async function chooseServiceRange({ apiAddress, mark, reachable, clock }: RangeOptions, signal: AbortSignal): Promise<ServiceRange> {
  if (apiAddress !== undefined) {
    const range = rangeOf(apiAddress);
    if (reachable) void claimAtLast(range, clock, signal);
    return serviceRange(range);
  }
  if (!reachable) return serviceRange(SERVICE_RANGE_DEFAULT);
  const first = Number.parseInt(mark, 16) % PIECES;
  for (let tries = 0; tries < PIECES; tries++) {
    const range = pieceAt((first + tries) % PIECES);
    if (isUsed(range) || !(await claim(range, signal))) continue;
    return serviceRange(range);
  }
  return serviceRange(SERVICE_RANGE_DEFAULT);
}

/** In a hand-over the platform before this one has it for a while. */
async function claimAtLast(range: string, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await claim(range, signal))) await clock.sleep(CLAIM_EVERY_MS, signal).catch(() => undefined);
}

/** A name among the machine's sockets that have no file: gone with the process, whatever ends it. */
function claim(range: string, signal: AbortSignal): Promise<boolean> {
  const server: Server = createServer((socket) => socket.destroy());
  server.unref();
  signal.addEventListener("abort", () => server.close(), { once: true });
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(`\0eider-services-${range}`, () => resolve(true));
  });
}

/** Whether the machine is on such a network itself. */
function isUsed(range: string): boolean {
  const { has } = serviceRange(range);
  return Object.values(networkInterfaces()).some((each) => each?.some(({ family, address }) => family === "IPv4" && has(address)) === true);
}
