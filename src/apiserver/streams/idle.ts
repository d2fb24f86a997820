// Connections on which nothing happens: pinged, so that a client that has vanished is noticed, and ended at last.
import type { Duplex } from "node:stream";
import type { Clock } from "#core";

/** A vanished client is found out by what cannot be sent to it, also while nothing is read of it. */
const PING_EVERY_MS = 30_000;
/** As the kubelet: a connection without a byte in either direction for so long is closed. */
const IDLE_MS = 4 * 3_600_000;
/** How long a client may take to end its side of a connection that we have ended. */
const LINGER_MS = 2_000;

export interface IdleOptions {
  readonly clock: Clock;
  readonly ping: () => Promise<void>;
}

/** Destroys the connection once it has been idle, or cannot be pinged. Pings are no sign of life, what calls `touch` is. */
export function endWhenIdle(connection: Duplex, { clock, ping }: IdleOptions): { touch(): void } {
  const over = new AbortController();
  let aliveAtMs = clock.monotonicMs();
  connection.once("close", () => over.abort());
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleep(PING_EVERY_MS, over.signal);
      if (clock.monotonicMs() - aliveAtMs >= IDLE_MS) break;
      await ping();
    }
    connection.destroy();
  };
  // Either it is closed already, or what was written to it has failed.
  void watch().catch(() => connection.destroy());
  return { touch: () => (aliveAtMs = clock.monotonicMs()) };
}

/** Ends our side and lets the client end its own: closing at once would cut off what it has not read yet. */
export function linger(connection: Duplex, clock: Clock): void {
  if (connection.destroyed) return;
  const over = new AbortController();
  connection.once("close", () => over.abort());
  connection.on("error", () => undefined);
  connection.end();
  connection.resume();
  void clock
    .sleep(LINGER_MS, over.signal)
    .catch(() => undefined)
    .then(() => connection.destroy());
}
