// What was measured, as it is told to the control thread.
import { labelText } from "#telemetry";
import type { MetricFamily } from "#protocol";
import type { DurationSeries } from "./duration-series.ts";

/** One number. */
export interface Count {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function durationFamily(of: Required<Pick<MetricFamily, "name" | "help" | "bounds">>, series: readonly DurationSeries[]): MetricFamily {
  const all = series.flatMap((one) => [...one.all()]);
  const length = of.bounds.length + 2;
  const values = new Float64Array(all.length * length);
  for (const [index, { row }] of all.entries()) values.set(row, index * length);
  return { ...of, type: "histogram", labels: all.map(({ labels }) => labels), values };
}

export function countFamilies(counts: readonly Count[]): MetricFamily[] {
  return families(counts, "counter");
}

export function gaugeFamilies(gauges: readonly Count[]): MetricFamily[] {
  return families(gauges, "gauge");
}

function families(counts: readonly Count[], type: "counter" | "gauge"): MetricFamily[] {
  const byName = Map.groupBy(counts, ({ name }) => name);
  return [...byName].map(([name, of]) => ({
    name,
    help: of[0]?.help ?? "",
    type,
    labels: of.map(({ labels }) => labelText(labels)),
    values: Float64Array.from(of, ({ value }) => value),
  }));
}
