// Traces of one thread: which requests are sampled, and what control is told of them when they are over.
import type { Clock, Rng } from "#core";
import type { TracedRequest } from "#protocol";
import { newSpanId, sampledTrace, TraceOutbox } from "#telemetry";
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";
import { traceParentOf } from "./trace-context.ts";

/** Texts of a request that go into spans are cut here. */
const TEXT_MAX = 1_024;

export interface TracerOptions {
  /** 0 … 1. At 1 every request is sampled; below, a request with a parent follows the parent (OpenTelemetry's parent-based ratio). */
  readonly rate: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly send: (requests: readonly TracedRequest[]) => void;
  /** Something waits to be told. */
  readonly gathered: () => void;
  readonly dropped: (requests: number) => void;
}

export class Tracer implements RequestObserver {
  readonly #options: TracerOptions;
  readonly #outbox: TraceOutbox<TracedRequest>;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#outbox = new TraceOutbox(options.send);
  }

  get isDirty(): boolean {
    return this.#outbox.isDirty;
  }

  began(facts: RequestFacts): void {
    const { rng } = this.#options;
    const trace = sampledTrace(this.#options, traceParentOf(facts.head));
    if (trace !== undefined) facts.trace = { traceId: trace.traceId, parentId: trace.parentId, spanId: newSpanId(rng), upstreamId: newSpanId(rng) };
  }

  ended(facts: RequestFacts): void {
    if (facts.trace === undefined) return;
    if (this.#outbox.isFull) return this.#options.dropped(1);
    this.#outbox.add(tracedRequest(facts, this.#options.clock.wallMs()));
    this.#options.gathered();
  }

  /** A second has passed. */
  gather(): void {
    this.#outbox.gather();
  }
}

function tracedRequest(facts: RequestFacts, wallMs: number): TracedRequest {
  const { head, trace, backend, pod, target, arrivedMs, grantedMs } = facts;
  return {
    traceId: trace?.traceId ?? "",
    parentId: trace?.parentId ?? "",
    spanId: trace?.spanId ?? "",
    upstreamId: trace?.upstreamId ?? "",
    traceState: trace?.parentId === "" ? "" : field(head, "tracestate"),
    endMs: wallMs,
    durationMs: facts.endedMs - arrivedMs,
    waitedMs: (Number.isNaN(grantedMs) ? facts.endedMs : grantedMs) - arrivedMs,
    cold: facts.cold,
    attempts: facts.attempts,
    method: head.method,
    authority: cut(head.authority),
    target: cut(head.target),
    minor: head.minor,
    userAgent: field(head, "user-agent"),
    clientAddress: facts.clientAddress,
    status: facts.status,
    outcome: facts.outcome,
    requestBytes: facts.requestBytes,
    responseBytes: facts.responseBytes,
    routeTag: target?.routeTag ?? "",
    backend: backend?.key ?? "",
    service: backend?.entry.service ?? "",
    configuration: backend?.entry.configuration ?? "",
    podName: pod?.name ?? "",
    podHost: pod?.address.host ?? "",
    podPort: pod?.address.port ?? 0,
  };
}

function field(head: RequestHead, name: string): string {
  return cut(valuesOf(head.text, head.fields, name)[0] ?? "");
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) : text;
}
