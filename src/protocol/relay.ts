// Between the control plane and the gateway threads of a platform that drains: the messages of threads, one JSON object a line.
import type { ControlToGateway, GatewayToControl } from "./gateway.ts";

/** Of the lines below and of the messages in them; a guest of another format drains without a control plane. */
export const RELAY_FORMAT = 1;
/** The first batch holds the whole table. */
export const RELAY_LINE_BYTES_MAX = 256 << 20;

/** Places on pods with a limit: how many on each (by id). */
export type LentPlaces = readonly (readonly [pod: string, places: number])[];

/** What the draining platform says. Its threads have their own numbers. */
export type GuestLine =
  /** `places`: those that it has; all others are the host's. Who does not tell has never heard of such an agreement. */
  | { readonly hello: { readonly format: number; readonly threads: number; readonly pid?: number; readonly places?: LentPlaces } }
  | { readonly said: GatewayToControl }
  | { readonly gone: number }
  /** So many of its requests wait for a place now, the oldest since then: the monotonic clock is one for all processes. */
  | { readonly asks: { readonly backend: string; readonly since: number; readonly count: number } }
  /** A place on each of these pods is the host's again. */
  | { readonly back: readonly string[] };

/** What it is told: a message for each of its threads, that the new platform's threads accept connections, and of places if it has told of its own. */
export type HostLine =
  | { readonly tell: ControlToGateway }
  | { readonly accepting: true }
  /** Before the first routes: the host gives places. */
  | { readonly lends: true }
  /** A place on the pod is the guest's. `others`: since when requests wait elsewhere; 0: none does. */
  | { readonly grants: { readonly backend: string; readonly pod: string; readonly others: number } }
  | { readonly others: { readonly backend: string; readonly since: number } };

export function encodeRelay(line: GuestLine | HostLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Undefined for a line that is none. */
export function decodeRelay<Line extends GuestLine | HostLine>(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
