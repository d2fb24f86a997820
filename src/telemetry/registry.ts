// Metrics: counters and gauges by name and labels, and Prometheus' text form.

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: Map<string, number>;
}

/** Limit of label combinations a family; more are counted in one sample labelled `overflow`. */
const SAMPLES_MAX = 10_000;

/** Counters and gauges of one process or thread. Names follow Prometheus: snake case, unit last, `_total` for counters. */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void)[] = [];

  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const { samples } = this.#family(name, help, "counter");
    return (labels = {}, by = 1) => {
      const key = bounded(samples, labelText(labels));
      samples.set(key, (samples.get(key) ?? 0) + by);
    };
  }

  gauge(name: string, help: string): (value: number, labels?: Labels) => void {
    const { samples } = this.#family(name, help, "gauge");
    return (value, labels = {}) => {
      samples.set(bounded(samples, labelText(labels)), value);
    };
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
    return `${lines.join("\n")}\n`;
  }

  #family(name: string, help: string, type: Family["type"]): Family {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const family: Family = { help, type, samples: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function bounded(samples: Map<string, number>, key: string): string {
  return samples.size < SAMPLES_MAX || samples.has(key) ? key : '{overflow="true"}';
}
