// A gateway thread as the platform starts it, that can be told to go wrong.
import { parentPort } from "node:worker_threads";

export type ThreadFault = "throws" | "outgrows its heap" | "hangs";

parentPort?.on("message", ({ fault }: { readonly fault?: ThreadFault }) => {
  if (fault === "throws") setImmediate(() => throwIt());
  if (fault === "outgrows its heap") outgrow();
  if (fault === "hangs") for (;;);
});
await import("#entry/gateway-thread");

function throwIt(): never {
  throw new Error("planted");
}

function outgrow(): void {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
}
