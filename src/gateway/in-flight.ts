// The shared table of requests in flight: one row a pod, column 0 the total, one column a thread.

/** Bytes of `GatewayStart.inFlight`. */
export function inFlightBytes(threads: number, slots: number): number {
  return 4 * (1 + threads) * slots;
}

/** Bytes of `GatewayStart.doorbell`. */
export function doorbellBytes(threads: number): number {
  return 4 * 2 * threads;
}

/** Gives back what a dead thread held: its column is subtracted from the totals and cleared. Call before its successor starts. */
export function subtractThread(inFlight: SharedArrayBuffer, table: { readonly thread: number; readonly threads: number }): void {
  const cells = new Int32Array(inFlight);
  const columns = 1 + table.threads;
  for (let row = 0; row + columns <= cells.length; row += columns) {
    const held = Atomics.exchange(cells, row + 1 + table.thread, 0);
    if (held !== 0) Atomics.sub(cells, row, held);
  }
}
