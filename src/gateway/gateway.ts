// The gateway of one thread: listener, routing state and loops put together.
import type { Clock, Logger, Rng } from "#core";
import type { ControlToGateway, GatewayStart, GatewayToControl } from "#protocol";

export interface GatewayOptions {
  readonly start: GatewayStart;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly send: (message: GatewayToControl) => void;
  /** An inherited socket, or an address to bind (tests; port 0 is any free one). */
  readonly listen: { readonly fd: number } | { readonly port: number; readonly host: string };
}

export interface Gateway {
  /** Takes a message of the control thread; never throws, never waits. */
  receive(message: ControlToGateway): void;
  /** Listens and serves until the signal aborts (at once) or a `drain` has ended; rejects when it cannot listen. */
  run(signal: AbortSignal): Promise<void>;
  /** The bound port; 0 before the `listening` message. */
  readonly port: number;
}

export function createGateway(_options: GatewayOptions): Gateway {
  throw new Error("being written");
}
