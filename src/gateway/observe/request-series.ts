// One series of request metrics: histograms as a row of numbers, in Knative's bounds and units.

/** Seconds: bounds of `http.server.request.duration` and of `kn.serving.invocation.duration`. */
export const DURATION_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Bytes: OpenTelemetry's default bounds, which Knative leaves for the sizes of bodies. */
export const SIZE_BOUNDS: readonly number[] = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

/** A histogram in a row: a count for each bound and one for infinity, then the sum. */
export interface Place {
  readonly at: number;
  readonly bounds: readonly number[];
}

/** Where in a row each histogram begins. */
export const DURATION: Place = { at: 0, bounds: DURATION_BOUNDS };
export const REQUEST_SIZE: Place = { at: 16, bounds: SIZE_BOUNDS };
export const RESPONSE_SIZE: Place = { at: 33, bounds: SIZE_BOUNDS };
/** Only of requests that were sent to a pod: from its place on the pod to the end. */
export const INVOCATION: Place = { at: 50, bounds: DURATION_BOUNDS };
/** Numbers in a row. */
export const ROW = 66;

/** What tells one series of a revision from another; from closed sets all. */
export interface SeriesLabels {
  /** As sent, when it is one that OpenTelemetry knows; else `_OTHER`. */
  readonly method: string;
  /** 0 when no response began: the client left. */
  readonly status: number;
  /** `kn.route.tag`. */
  readonly tag: string;
  readonly minor: 0 | 1;
}

/** Counts `value` in the histogram at `place` of `row`. */
export function observe(row: Float64Array, { at, bounds }: Place, value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
  const sum = at + bounds.length + 1;
  row[at + bucket] = (row[at + bucket] ?? 0) + 1;
  row[sum] = (row[sum] ?? 0) + value;
}

/** Adds `row[from, from + ROW)` of another thread. */
export function addRow(into: Float64Array, rows: Float64Array, from: number): void {
  for (let i = 0; i < ROW; i++) into[i] = (into[i] ?? 0) + (rows[from + i] ?? 0);
}
