// Request metrics of all threads added up, in Prometheus' text form under the names that Knative's programs show there.
import type { RequestSamples } from "#protocol";
import { OVERFLOW } from "./request-meter.ts";
import { addRow, DURATION, INVOCATION, REQUEST_SIZE, RESPONSE_SIZE, ROW, type Place, type SeriesLabels } from "./request-series.ts";

interface Total extends SeriesLabels {
  readonly row: Float64Array;
}

interface Revision {
  readonly of: Pick<RequestSamples["revisions"][number], "key" | "service" | "configuration">;
  readonly labels: string;
  readonly series: Map<string, Total>;
  queued: number;
  active: number;
  concurrency: number;
}

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: (of: Revision) => number;
}

/** The activator's. */
const GAUGES: readonly Gauge[] = [
  { name: "kn_revision_request_concurrency", help: "Concurrent requests of the revision, averaged over a second.", value: (of) => of.concurrency },
  { name: "kn_revision_request_queued", help: "Requests that wait for a pod of the revision.", value: (of) => of.queued },
  { name: "kn_revision_request_active", help: "Requests of the revision that a pod works on.", value: (of) => of.active },
];

/** The queue-proxy's and the activator's: one hop, one of each. */
const HISTOGRAMS: readonly { readonly name: string; readonly help: string; readonly place: Place }[] = [
  { name: "http_server_request_body_size_bytes", help: "Size of HTTP server request bodies.", place: REQUEST_SIZE },
  { name: "http_server_request_duration_seconds", help: "Duration of HTTP server requests.", place: DURATION },
  { name: "http_server_response_body_size_bytes", help: "Size of HTTP server response bodies.", place: RESPONSE_SIZE },
];
const INVOCATIONS = "kn_serving_invocation_duration_seconds";
const DEPTH = "kn_serving_queue_depth";

export class RequestTotals {
  readonly #isKnown: (key: string) => boolean;
  readonly #revisions = new Map<string, Revision>();
  readonly #others: Revision = emptyRevision({ key: "", service: "", configuration: "" }, 'otel_metric_overflow="true"');

  /** Revisions (`namespace/name`) that are not known are left out. */
  constructor(isKnown: (key: string) => boolean) {
    this.#isKnown = isKnown;
  }

  /** Takes what one thread measured; gauges only of a thread that `lives`. */
  add({ revisions, series, values }: RequestSamples, lives: boolean): void {
    const found = revisions.map((revision) => {
      if (!this.#isKnown(revision.key)) return undefined;
      const total = this.#revision(revision);
      if (lives) {
        total.queued += revision.queued;
        total.active += revision.active;
        total.concurrency += revision.concurrency;
      }
      return total;
    });
    for (const [index, { revision, method, status, tag, minor }] of series.entries()) {
      const into = (revision < 0 ? this.#others : found[revision])?.series;
      if (into === undefined) continue;
      const key = `${status} ${minor} ${method} ${tag}`;
      const total = into.get(key) ?? { method, status, tag, minor, row: new Float64Array(ROW) };
      into.set(key, total);
      addRow(total.row, values, index * ROW);
    }
  }

  #revision({ key, service, configuration }: RequestSamples["revisions"][number]): Revision {
    const known = this.#revisions.get(key);
    if (known !== undefined) return known;
    const [namespace = "", name = ""] = key.split("/");
    const labels = `k8s_namespace_name=${quoted(namespace)},kn_configuration_name=${quoted(configuration)},kn_revision_name=${quoted(name)},kn_service_name=${quoted(service)}`;
    const made = emptyRevision({ key, service, configuration }, labels);
    this.#revisions.set(key, made);
    return made;
  }

  /** What was added, as if one thread had measured it all. */
  samples(): RequestSamples {
    const all = [...this.#revisions.values()];
    const series = [...all, this.#others].flatMap((revision, index) =>
      [...revision.series.values()].map((total) => ({ total, revision: revision === this.#others ? -1 : index })),
    );
    const values = new Float64Array(series.length * ROW);
    for (const [index, { total }] of series.entries()) values.set(total.row, index * ROW);
    return {
      revisions: all.map(({ of, queued, active, concurrency }) => ({ ...of, queued, active, concurrency })),
      series: series.map(({ total: { method, status, tag, minor }, revision }) => ({ revision, method, status, tag, minor })),
      values,
    };
  }

  /** The text in pieces of a revision each, so that a long one can be made in many turns. */
  *text(): Generator<string> {
    if (this.#revisions.size === 0 && this.#others.series.size === 0) return;
    for (const { name, help, value } of GAUGES) {
      yield head(name, "gauge", help);
      for (const revision of this.#revisions.values()) yield `${name}{${revision.labels}} ${value(revision)}\n`;
    }
    for (const { name, help, place } of HISTOGRAMS) {
      yield head(name, "histogram", help);
      for (const revision of this.#all()) {
        let text = "";
        for (const total of revision.series.values()) text += histogramText(name, serverLabels(revision, total), { row: total.row, place });
        yield text;
      }
    }
    yield head(INVOCATIONS, "histogram", "The duration of task execution");
    for (const revision of this.#all()) yield invocationText(revision);
    yield head(DEPTH, "gauge", "Number of current requests in the queue");
    for (const revision of this.#revisions.values()) yield `${DEPTH}{${revision.labels}} ${revision.queued + revision.active}\n`;
  }

  *#all(): Generator<Revision> {
    yield* this.#revisions.values();
    if (this.#others.series.size > 0) yield this.#others;
  }
}

function emptyRevision(of: Revision["of"], labels: string): Revision {
  return { of, labels, series: new Map(), queued: 0, active: 0, concurrency: 0 };
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`;
}

function statusLabel(status: number): string {
  return status === 0 ? "" : `http_response_status_code="${status}",`;
}

function serverLabels(revision: Revision, { method, status, tag, minor }: SeriesLabels): string {
  if (tag === OVERFLOW) return revision.labels.startsWith("otel") ? revision.labels : `${revision.labels},otel_metric_overflow="true"`;
  const request = `http_request_method="${method}",${statusLabel(status)}`;
  return `${request}${revision.labels},kn_route_tag=${quoted(tag)},network_protocol_name="http",network_protocol_version="1.${minor}",url_scheme="http"`;
}

/** Of requests that reached a pod, by status alone. */
function invocationText(revision: Revision): string {
  const byStatus = new Map<number, Float64Array>();
  for (const { status, row } of revision.series.values()) {
    const sum = byStatus.get(status) ?? new Float64Array(ROW);
    byStatus.set(status, sum);
    addRow(sum, row, 0);
  }
  let text = "";
  for (const [status, row] of byStatus) text += histogramText(INVOCATIONS, `${statusLabel(status)}${revision.labels}`, { row, place: INVOCATION });
  return text;
}

/** Nothing when nothing was observed. */
function histogramText(name: string, labels: string, { row, place }: { readonly row: Float64Array; readonly place: Place }): string {
  const { at, bounds } = place;
  let text = "";
  let count = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    count += row[at + bucket] ?? 0;
    text += `${name}_bucket{${labels},le="${bounds[bucket] ?? "+Inf"}"} ${count}\n`;
  }
  if (count === 0) return "";
  return `${text}${name}_sum{${labels}} ${row[at + bounds.length + 1] ?? 0}\n${name}_count{${labels}} ${count}\n`;
}
