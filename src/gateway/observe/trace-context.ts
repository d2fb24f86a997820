// W3C trace context: what a request brought along, and what it is sent on with.
import { parseTraceParent, type TraceParent } from "#telemetry";
import { fieldNamed, valuesOf } from "../http/head-scan.ts";
import { findTraceId, type TraceSpan } from "../http/trace-field.ts";
import type { RequestFacts, RequestTrace } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Of `traceparent`; undefined when there is none or it is not valid, and then what comes with it counts no more. */
export function traceParentOf(head: RequestHead): TraceParent | undefined {
  // Most requests have none, and cost no more than this.
  if (fieldNamed(head.text, head.fields, "traceparent") < 0) return undefined;
  const values = valuesOf(head.text, head.fields, "traceparent");
  const value = values[0];
  return value === undefined || values.length > 1 ? undefined : parseTraceParent(value);
}

const PARENT_LINES = /\r\ntraceparent:[^\r]*/gi;
const TRACE_LINES = /\r\ntrace(?:parent|state):[^\r]*/gi;

/** The head of a request as it goes to the pod, with our span as its parent; a trace that begins here has no state of others. */
export function tracedHead(head: string, trace: RequestTrace): string {
  const cleared = head.replaceAll(trace.parentId === "" ? TRACE_LINES : PARENT_LINES, "");
  return `${cleared.slice(0, -2)}traceparent: 00-${trace.traceId}-${trace.upstreamId}-01\r\n\r\n`;
}

/** For logs: of our own span, else what the request says, as Knative reads it; "" when nothing does. */
export function traceIdOf(facts: RequestFacts): string {
  const { trace, parked } = facts;
  if (trace !== undefined) return trace.traceId;
  if (parked === undefined) findTraceId(facts.head, found);
  const { traceFrom, traceTo } = parked ?? found;
  if (traceFrom === traceTo) return "";
  const traceId = parked === undefined ? facts.head.text.slice(traceFrom, traceTo) : parked.text(traceFrom, traceTo);
  return /^[0-9A-Za-z]{1,64}$/.test(traceId) ? traceId : "";
}

const found: TraceSpan = { traceFrom: 0, traceTo: 0 };
