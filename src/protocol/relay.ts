// Between the control plane and the gateway threads of a platform that drains: the messages of threads, one JSON object a line.
import type { ControlToGateway, GatewayToControl } from "./gateway.ts";

/** Of the lines below and of the messages in them; a guest of another format drains without a control plane. */
export const RELAY_FORMAT = 1;
/** The first batch holds the whole table. */
export const RELAY_LINE_BYTES_MAX = 256 << 20;

/** What the draining platform says. Its threads have their own numbers. */
export type GuestLine =
  | { readonly hello: { readonly format: number; readonly threads: number } }
  | { readonly said: GatewayToControl }
  | { readonly gone: number };

/** What it is told: a message for each of its threads, or that the new platform's threads accept connections. */
export type HostLine = { readonly tell: ControlToGateway } | { readonly accepting: true };

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
