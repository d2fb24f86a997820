// Traces of the threads on their way to the collector that config-observability names; nothing is loaded while it names none.
import type { Clock, Logger } from "#core";
import type { ServingConfig } from "#kinds";
import { encodeSpans, SpanExporter, type Delivered, type MetricRegistry, type Span } from "#telemetry";
import { VERSION } from "./version.ts";

/** As OTLP's exporters. */
const POST_MS = 10_000;
/** What is left at the end has this long. */
const LAST_MS = 1_000;

type Tracing = ServingConfig["observability"]["tracing"];
type Deliver = (spans: readonly Span[], signal: AbortSignal) => Promise<Delivered>;

/** `T`: what a thread tells. */
export interface TracesOptions<T> {
  /** `eider-gateway` and so on, as collectors know it. */
  readonly service: string;
  readonly scope: string;
  readonly spansOf: (told: T) => readonly Span[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
  readonly print: (line: string) => void;
}

export class Traces<T> {
  readonly #options: TracesOptions<T>;
  readonly #exported: (labels: undefined, by: number) => void;
  readonly #dropped: (labels: undefined, by: number) => void;
  #current: { readonly of: string; readonly exporter: SpanExporter; readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: TracesOptions<T>) {
    this.#options = options;
    this.#exported = options.metrics.counter("eider_spans_exported_total", "Spans that the collector took.");
    this.#dropped = options.metrics.counter("eider_spans_dropped_total", "Spans that found no room or no taker.");
  }

  /** From the next request on. */
  apply(tracing: Tracing): void {
    const of = tracing.protocol === "none" ? "" : `${tracing.protocol} ${tracing.endpoint}`;
    if ((this.#current?.of ?? "") === of) return;
    void this.end();
    if (of === "") return;
    const { clock, logger } = this.#options;
    const exporter = new SpanExporter({
      clock,
      logger,
      deliver: this.#delivery(tracing),
      exported: (spans) => this.#exported(undefined, spans),
      dropped: (spans) => this.#dropped(undefined, spans),
    });
    const stop = new AbortController();
    this.#current = { of, exporter, stop, done: exporter.run(stop.signal, this.#lastMoment(stop.signal)) };
  }

  receive(told: readonly T[]): void {
    this.#current?.exporter.add(told.flatMap(this.#options.spansOf));
  }

  /** So many found no room in their thread. */
  lost(spans: number): void {
    if (spans > 0) this.#dropped(undefined, spans);
  }

  /** What is left is delivered, within a second. */
  async end(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.stop.abort();
    await current?.done;
  }

  #lastMoment(stopped: AbortSignal): AbortSignal {
    const last = new AbortController();
    const never = new AbortController().signal;
    stopped.addEventListener("abort", () => void this.#options.clock.sleep(LAST_MS, never).then(() => last.abort()), { once: true });
    return last.signal;
  }

  #delivery({ protocol, endpoint }: Tracing): Deliver {
    const { print, service, scope } = this.#options;
    const resource = { "service.name": service, "service.version": VERSION, "telemetry.sdk.language": "nodejs" };
    if (protocol === "stdout") {
      return (spans) => {
        for (const span of spans) print(`${JSON.stringify(span)}\n`);
        return Promise.resolve("taken");
      };
    }
    const isGrpc = protocol === "grpc";
    return async (spans, signal) => {
      const { otlpGrpcPost, otlpHttpPost } = await import("#host/export");
      const url = collectorUrl(endpoint, isGrpc);
      const body = encodeSpans(spans, { resource, scope, version: VERSION });
      return isGrpc
        ? grpcOutcome(await otlpGrpcPost({ url, body, timeoutMs: POST_MS, signal }))
        : httpOutcome(await otlpHttpPost({ url, body, timeoutMs: POST_MS, signal }));
    };
  }
}

/** `host:port` is meant as https, as Knative reads it; without a path it is OTLP's own. */
function collectorUrl(endpoint: string, isGrpc: boolean): URL {
  const url = new URL(/^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`);
  if (!isGrpc && url.pathname === "/") url.pathname = "/v1/traces";
  return url;
}

/** What OTLP calls retryable. */
function httpOutcome(status: number): Delivered {
  if (status >= 200 && status < 300) return "taken";
  return [429, 502, 503, 504].includes(status) ? "later" : "refused";
}

/** Cancelled, deadline exceeded, exhausted, aborted, out of range, unavailable and data loss may be tried again. */
function grpcOutcome(status: number): Delivered {
  if (status === 0) return "taken";
  return [1, 4, 8, 10, 11, 14, 15].includes(status) ? "later" : "refused";
}
