// Metrics: counters, gauges and histograms by name and labels, and Prometheus' text form.
import { labelText } from "./label-text.ts";

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: Map<string, number>;
}

/** Observations of one combination of labels: how many fell below each bound (the last is infinity), and their sum. */
interface Series {
  readonly below: number[];
  sum: number;
}

interface Histogram {
  readonly help: string;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
}

/** Limit of label combinations a family; more are counted in one sample labelled `overflow`. */
const SAMPLES_MAX = 10_000;
/** The same for histograms, each of which is many lines. */
const SERIES_MAX = 1_000;

/** The metrics of one process or thread. Names follow Prometheus: snake case, unit last, `_total` for counters. */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #collectors: (() => void)[] = [];

  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const { samples } = this.#family(name, help, "counter");
    return (labels = {}, by = 1) => {
      const key = bounded(samples, bracedText(labels));
      samples.set(key, (samples.get(key) ?? 0) + by);
    };
  }

  gauge(name: string, help: string): (value: number, labels?: Labels) => void {
    const { samples } = this.#family(name, help, "gauge");
    return (value, labels = {}) => {
      samples.set(bounded(samples, bracedText(labels)), value);
    };
  }

  /** `bounds` are the upper ends of the buckets, ascending, without infinity. */
  histogram(name: string, help: string, bounds: readonly number[]): (value: number, labels?: Labels) => void {
    const { series } = this.#histogram(name, help, bounds);
    return (value, labels = {}) => {
      const key = bounded(series, bracedText(labels), SERIES_MAX);
      const one = series.get(key) ?? { below: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
      series.set(key, one);
      const first = bounds.findIndex((bound) => value <= bound);
      const bucket = first < 0 ? bounds.length : first;
      one.below[bucket] = (one.below[bucket] ?? 0) + 1;
      one.sum += value;
    };
  }

  /** A gauge that is read off what exists when it is asked for: what exists no more has no sample. */
  observe(name: string, help: string, read: () => Iterable<readonly [labels: Labels, value: number]>): void {
    const { samples } = this.#family(name, help, "gauge");
    this.onCollect(() => {
      samples.clear();
      for (const [labels, value] of read()) samples.set(bounded(samples, bracedText(labels)), value);
    });
  }

  /** `collect` is called before each exposition, to set gauges that are cheaper to read than to keep. */
  onCollect(collect: () => void): void {
    this.#collectors.push(collect);
  }

  /** Prometheus' text exposition format 0.0.4. */
  text(): string {
    for (const collect of this.#collectors) collect();
    const lines: string[] = [];
    for (const [name, family] of this.#families) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.type}`);
      for (const [labels, value] of family.samples) lines.push(`${name}${labels} ${value}`);
    }
    for (const [name, histogram] of this.#histograms) lines.push(...histogramLines(name, histogram));
    return `${lines.join("\n")}\n`;
  }

  #histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = this.#histograms.get(name) ?? { help, bounds, series: new Map<string, Series>() };
    this.#histograms.set(name, histogram);
    return histogram;
  }

  #family(name: string, help: string, type: Family["type"]): Family {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const family: Family = { help, type, samples: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

/** With the braces; "" without labels. */
function bracedText(labels: Labels): string {
  const text = labelText(labels);
  return text === "" ? "" : `{${text}}`;
}

function bounded(samples: ReadonlyMap<string, unknown>, key: string, max = SAMPLES_MAX): string {
  return samples.size < max || samples.has(key) ? key : '{overflow="true"}';
}

function* histogramLines(name: string, { help, bounds, series }: Histogram): Generator<string> {
  yield `# HELP ${name} ${help}`;
  yield `# TYPE ${name} histogram`;
  for (const [labels, { below, sum }] of series) {
    const inner = labels === "" ? "" : `${labels.slice(1, -1)},`;
    let count = 0;
    for (const [index, seen] of below.entries()) {
      count += seen;
      yield `${name}_bucket{${inner}le="${bounds[index] ?? "+Inf"}"} ${count}`;
    }
    yield `${name}_sum${labels} ${sum}`;
    yield `${name}_count${labels} ${count}`;
  }
}
