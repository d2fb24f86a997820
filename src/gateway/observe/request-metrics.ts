// Metrics of requests, by revision: what one thread counts, and what it tells control when it is asked.
import type { RequestSamples } from "#protocol";
import type { Backend } from "../pods/backend.ts";
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import { RequestMeter } from "./request-meter.ts";
import { ROW } from "./request-series.ts";

/** Revisions that are measured each for itself (OpenTelemetry's limit for one instrument); those beyond are measured together. */
export const REVISIONS_MAX = 2_000;

export class RequestMetrics implements RequestObserver {
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #others = new RequestMeter();
  readonly #max: number;
  #metered = 0;

  constructor(backends: ReadonlyMap<string, Backend>, max = REVISIONS_MAX) {
    this.#backends = backends;
    this.#max = max;
  }

  began(): void {
    // Gauges are read off the backends.
  }

  ended(facts: RequestFacts): void {
    const { backend, target } = facts;
    if (backend === undefined || target === undefined) return;
    const meter = backend.meter ?? this.#meterFor(backend);
    // Knative's label tells a tag that leads nowhere from none; only the default route sees such.
    const undefinedTag = target.routeTag === "kn:default" && (valuesOf(facts.head.text, facts.head.fields, "knative-serving-tag")[0] ?? "") !== "";
    meter.measure(facts, undefinedTag ? "kn:undefined" : target.routeTag);
  }

  #meterFor(backend: Backend): RequestMeter {
    if (this.#metered >= this.#max) {
      // Revisions that are gone have made room.
      this.#metered = 0;
      for (const { meter } of this.#backends.values()) if (meter !== undefined && meter !== this.#others) this.#metered++;
    }
    const full = this.#metered >= this.#max;
    if (!full) this.#metered++;
    backend.meter = full ? this.#others : new RequestMeter();
    return backend.meter;
  }

  /** Of all revisions that have had a request; those that are gone from the table are gone from here. */
  samples(): RequestSamples {
    const revisions: RequestSamples["revisions"][number][] = [];
    const series: RequestSamples["series"][number][] = [];
    const rows: Float64Array[] = [];
    const add = (revision: number, { series: its }: RequestMeter): void => {
      for (const { method, status, tag, minor, row } of its) {
        series.push({ revision, method, status, tag, minor });
        rows.push(row);
      }
    };
    for (const backend of this.#backends.values()) {
      const { meter, entry, waiting, load } = backend;
      if (meter === undefined || meter === this.#others) continue;
      const { key, service = "", configuration = "" } = entry;
      revisions.push({ key, service, configuration, queued: waiting, active: load.count - waiting, concurrency: load.average });
      add(revisions.length - 1, meter);
    }
    add(-1, this.#others);
    const values = new Float64Array(rows.length * ROW);
    for (const [index, row] of rows.entries()) values.set(row, index * ROW);
    return { revisions, series, values };
  }
}
