// W3C trace context and who is sampled, for all that make spans.
import type { Rng } from "#core";

/** The span that something comes from. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** Octets of one of version `00`. */
const LENGTH = 55;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/** Undefined when it is not valid, and then what comes with it counts no more. */
export function parseTraceParent(value: string): TraceParent | undefined {
  if (!TRACEPARENT.test(value) || value.startsWith("ff") || (value.length > LENGTH && value.startsWith("00"))) return undefined;
  const traceId = value.slice(3, 35);
  const spanId = value.slice(36, 52);
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(value.charAt(LENGTH - 1), 16) & 1) === 1 };
}

/** Of a span that is sampled. */
export function traceParentText({ traceId, spanId }: Pick<TraceParent, "traceId" | "spanId">): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The trace that something belongs to, when it is sampled: at a rate of 1 all is; below, what has a parent follows it (OpenTelemetry's parent-based ratio). */
export function sampledTrace(
  { rate, rng }: { readonly rate: number; readonly rng: Rng },
  parent: TraceParent | undefined,
): { readonly traceId: string; readonly parentId: string } | undefined {
  // Samplers that go by the trace's id decide by these bits: an application with the same rate decides as we do.
  const chance = parent === undefined ? rng.uint32() : 0;
  const isSampled = rate >= 1 || (parent === undefined ? chance < rate * 0x1_0000_0000 : parent.sampled);
  if (!isSampled) return undefined;
  return { traceId: parent?.traceId ?? newTraceId(rng, chance), parentId: parent?.spanId ?? "" };
}

export function newSpanId(rng: Rng): string {
  // All zero is no id.
  return hex((rng.uint32() | 1) >>> 0) + hex(rng.uint32());
}

function newTraceId(rng: Rng, chance: number): string {
  return newSpanId(rng) + hex(chance) + hex(rng.uint32());
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
