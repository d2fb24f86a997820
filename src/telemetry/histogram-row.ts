// A histogram as a row of numbers: how many fell below each bound, the last being infinity, and the sum of all.

/** Seconds: what Knative's histograms of durations are cut by. */
export const DURATION_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function newRow(bounds: readonly number[]): Float64Array {
  return new Float64Array(bounds.length + 2);
}

/** Counts a value, or as many of the same. */
export function observeIn(row: Float64Array, bounds: readonly number[], value: number, times = 1): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
  const sum = bounds.length + 1;
  row[bucket] = (row[bucket] ?? 0) + times;
  row[sum] = (row[sum] ?? 0) + value * times;
}

/** Lines of Prometheus' text form; `labels` are what stands between the braces. */
export function rowText(name: string, labels: string, { row, bounds }: { readonly row: Float64Array; readonly bounds: readonly number[] }): string {
  let text = "";
  let count = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    count += row[bucket] ?? 0;
    text += `${name}_bucket{${labels},le="${bounds[bucket] ?? "+Inf"}"} ${count}\n`;
  }
  return `${text}${name}_sum{${labels}} ${row[bounds.length + 1] ?? 0}\n${name}_count{${labels}} ${count}\n`;
}
