// Memory that is garbage goes back to the system: V8 keeps it as long as nothing new is allocated.

/** Collects garbage at once and returns what is free; some tens of milliseconds. Nothing happens unless Node runs with `--expose-gc`. */
export function giveBackMemory(): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
