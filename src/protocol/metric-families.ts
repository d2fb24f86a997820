// Metrics as one thread tells them to another that adds up and shows them.

/** All samples of one name. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Of a histogram: upper ends of its buckets, ascending, without infinity. */
  readonly bounds?: readonly number[];
  /** Of each sample, as Prometheus' text has them between the braces. */
  readonly labels: readonly string[];
  /** A number a sample; of a histogram a row: a count for each bound and one for infinity, then the sum. */
  readonly values: Float64Array;
}
