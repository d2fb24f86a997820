// W3C trace context: what a request brought along, and what it is sent on with.
import { parseTraceParent, type TraceParent } from "#telemetry";
import { firstValueOf, valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestTrace } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Of `traceparent`; undefined when there is none or it is not valid, and then what comes with it counts no more. */
export function traceParentOf(head: RequestHead): TraceParent | undefined {
  if (!mayHave(head)) return undefined;
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

/** Whether any field is as long as `traceparent` or `x-b3-traceid` and begins as they do: most requests have none, and cost no more than this. */
function mayHave({ text, fields }: RequestHead): boolean {
  for (let i = 0; i < fields.length; i += 4) {
    const from = fields[i] ?? 0;
    const length = (fields[i + 1] ?? 0) - from;
    if (length !== 11 && length !== 12) continue;
    // Letters in either case; the third tells `x-b3-traceid` from `x-request-id`.
    const first = text.charCodeAt(from) | 0x20;
    if (length === 11 ? first === 0x74 : first === 0x78 && (text.charCodeAt(from + 2) | 0x20) === 0x62) return true;
  }
  return false;
}

/** For logs: of our own span, else what the request says (`traceparent`, `x-b3-traceid`), as Knative reads it; "" when nothing does. */
export function traceIdOf({ trace, head }: RequestFacts): string {
  if (trace !== undefined) return trace.traceId;
  if (!mayHave(head)) return "";
  const parent = firstValueOf(head.text, head.fields, "traceparent");
  const traceId = parent === undefined ? firstValueOf(head.text, head.fields, "x-b3-traceid") : secondPart(parent);
  return traceId !== undefined && /^[0-9A-Za-z]{1,64}$/.test(traceId) ? traceId : "";
}

/** Between the first and the second dash. */
function secondPart(text: string): string | undefined {
  const from = text.indexOf("-") + 1;
  if (from === 0) return undefined;
  const to = text.indexOf("-", from);
  return to < 0 ? text.slice(from) : text.slice(from, to);
}
