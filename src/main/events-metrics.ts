// Metrics of the events thread as text: it is asked, and what one that died had counted still counts.
import type { Clock } from "#core";
import type { ControlToEvents, EventsToControl, MetricFamily } from "#protocol";
import { rowText } from "#telemetry";

type Answer = Extract<EventsToControl, { readonly type: "metrics" }>;
type Question = Extract<ControlToEvents, { readonly type: "metrics" }>;

/** The thread answers within this time, or what it said last is taken. */
const ANSWER_MS = 1_000;
/** Of dead threads; what has more series is forgotten, as after a restart of the platform. */
const SERIES_OF_GONE_MAX = 10_000;

export interface EventsMetricsOptions {
  readonly clock: Clock;
  /** A thread is there that answers. */
  readonly runs: () => boolean;
  readonly send: (question: Question) => void;
}

export class EventsMetrics {
  readonly #options: EventsMetricsOptions;
  readonly #asked = new Map<number, () => void>();
  #latest: readonly MetricFamily[] = [];
  /** What threads that died had counted: counters never go back. */
  #gone: readonly MetricFamily[] = [];
  #questions = 0;

  constructor(options: EventsMetricsOptions) {
    this.#options = options;
  }

  received({ id, families }: Answer): void {
    this.#latest = families;
    this.#asked.get(id)?.();
  }

  /** The thread has ended. */
  gone(): void {
    const counted = this.#latest.filter(({ type }) => type !== "gauge");
    this.#latest = [];
    const all = sums([...this.#gone, ...counted]);
    this.#gone = all.reduce((series, { labels }) => series + labels.length, 0) > SERIES_OF_GONE_MAX ? [] : all;
    for (const done of this.#asked.values()) done();
  }

  /** Prometheus' text form; "" when there was never anything of Eventing. */
  async text(): Promise<string> {
    await this.#ask();
    return sums([...this.#gone, ...this.#latest])
      .map(familyText)
      .join("");
  }

  async #ask(): Promise<void> {
    const { clock, runs, send } = this.#options;
    if (!runs()) return;
    const id = this.#questions++;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#asked.set(id, resolve);
    send({ type: "metrics", id });
    const over = new AbortController();
    await Promise.race([promise, clock.sleep(ANSWER_MS, over.signal).catch(() => undefined)]);
    over.abort();
    this.#asked.delete(id);
  }
}

/** One family of a name, one sample of the same labels. */
function sums(families: readonly MetricFamily[]): MetricFamily[] {
  const byName = Map.groupBy(families, ({ name }) => name);
  return [...byName.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined || same.length === 1) return same;
    const length = lengthOf(first);
    const rows = new Map<string, Float64Array>();
    for (const { labels, values } of same)
      for (const [index, label] of labels.entries()) add(rows, label, values.subarray(index * length, (index + 1) * length));
    const values = new Float64Array(rows.size * length);
    for (const [index, row] of [...rows.values()].entries()) values.set(row, index * length);
    return [{ ...first, labels: [...rows.keys()], values }];
  });
}

function add(rows: Map<string, Float64Array>, label: string, row: Float64Array): void {
  const known = rows.get(label);
  if (known === undefined) rows.set(label, row.slice());
  else for (const [index, value] of row.entries()) known[index] = (known[index] ?? 0) + value;
}

/** Numbers of one sample. */
function lengthOf({ bounds }: MetricFamily): number {
  return bounds === undefined ? 1 : bounds.length + 2;
}

function familyText(family: MetricFamily): string {
  const { name, help, type, bounds, labels, values } = family;
  if (labels.length === 0) return "";
  const length = lengthOf(family);
  const samples = labels.map((of, index) =>
    bounds === undefined
      ? `${name}${of === "" ? "" : `{${of}}`} ${values[index] ?? 0}\n`
      : rowText(name, of, { row: values.subarray(index * length, (index + 1) * length), bounds }),
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join("")}`;
}
