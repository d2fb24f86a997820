// A gateway thread as the platform starts it, that stands still at a gate and dies once it is let through.
import { parentPort } from "node:worker_threads";

export type ThreadDeath = "exits" | "throws" | "exits with its listeners open";

/** Places in the gate's memory. */
export const ARRIVED = 0;
export const GO_ON = 1;
export const GATE_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;

parentPort?.on("message", ({ gate, death }: { readonly gate?: Int32Array; readonly death?: ThreadDeath }) => {
  // Not while it goes through what the last look at its sockets has found: its loop ends before the next look then.
  if (gate !== undefined && death !== undefined) setImmediate(() => die(gate, death));
});
if (parentPort !== null) await import("#entry/gateway-thread");

function die(gate: Int32Array, death: ThreadDeath): void {
  Atomics.store(gate, ARRIVED, 1);
  Atomics.notify(gate, ARRIVED);
  Atomics.wait(gate, GO_ON, 0);
  if (death === "throws") throw new Error("planted");
  if (death === "exits with its listeners open") process.removeAllListeners("exit");
  process.exit();
}
