// Traces of one thread: which requests are sampled, and what control is told of them when they are over.
import type { Clock, Rng } from "#core";
import type { TracedRequest } from "#protocol";
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestObserver } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";
import { traceParentOf } from "./trace-context.ts";

/** So many are told at once; fewer when a second has passed. */
const BATCH = 64;
/** Texts of a request that go into spans are cut here. */
const TEXT_MAX = 1_024;
/** Requests told of in a second; more are dropped: spans must not drown the data path. */
export const SPANS_PER_GATHER_MAX = 1_000;

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
  #ended: TracedRequest[] = [];
  /** Told since the last gathering. */
  #told = 0;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  get isDirty(): boolean {
    return this.#ended.length > 0 || this.#told > 0;
  }

  began(facts: RequestFacts): void {
    const { rate, rng } = this.#options;
    const parent = traceParentOf(facts.head);
    // Samplers that go by the trace's id decide by these bits: an application with the same rate decides as we do.
    const chance = parent === undefined ? rng.uint32() : 0;
    const isSampled = rate >= 1 || (parent === undefined ? chance < rate * 0x1_0000_0000 : parent.sampled);
    if (!isSampled) return;
    const spanId = this.#id();
    facts.trace = { traceId: parent?.traceId ?? this.#traceId(chance), parentId: parent?.spanId ?? "", spanId, upstreamId: this.#id() };
  }

  ended(facts: RequestFacts): void {
    if (facts.trace === undefined) return;
    if (this.#told + this.#ended.length >= SPANS_PER_GATHER_MAX) return this.#options.dropped(1);
    this.#ended.push(tracedRequest(facts, this.#options.clock.wallMs()));
    if (this.#ended.length >= BATCH) this.#tell();
    this.#options.gathered();
  }

  /** A second has passed. */
  gather(): void {
    this.#tell();
    this.#told = 0;
  }

  #tell(): void {
    if (this.#ended.length === 0) return;
    this.#told += this.#ended.length;
    this.#options.send(this.#ended);
    this.#ended = [];
  }

  #traceId(chance: number): string {
    const { rng } = this.#options;
    // All zero is no id.
    return hex((rng.uint32() | 1) >>> 0) + hex(rng.uint32()) + hex(chance) + hex(rng.uint32());
  }

  #id(): string {
    const { rng } = this.#options;
    return hex((rng.uint32() | 1) >>> 0) + hex(rng.uint32());
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
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
