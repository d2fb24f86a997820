// W3C trace context: what a request brought along, and what it is sent on with.
import { valuesOf } from "../http/head-scan.ts";
import type { RequestFacts, RequestTrace } from "../request/request-facts.ts";
import type { RequestHead } from "../http/request-head.ts";

/** The span that a request comes from. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Of `traceparent`; undefined when there is none or it is not valid, and then what comes with it counts no more. */
export function traceParentOf(head: RequestHead): TraceParent | undefined {
  if (!mayHave(head)) return undefined;
  const values = valuesOf(head.text, head.fields, "traceparent");
  const value = values[0];
  if (value === undefined || values.length > 1) return undefined;
  const match = TRACEPARENT.exec(value);
  if (match === null) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
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
    // Letters in either case.
    const first = text.charCodeAt(from) | 0x20;
    if (first === (length === 11 ? 0x74 : 0x78)) return true;
  }
  return false;
}

/** For logs: of our own span, else what the request says (`traceparent`, `x-b3-traceid`), as Knative reads it; "" when nothing does. */
export function traceIdOf({ trace, head }: RequestFacts): string {
  if (trace !== undefined) return trace.traceId;
  if (!mayHave(head)) return "";
  const parent = valuesOf(head.text, head.fields, "traceparent")[0];
  const traceId = parent === undefined ? valuesOf(head.text, head.fields, "x-b3-traceid")[0] : parent.split("-")[1];
  return traceId !== undefined && /^[0-9A-Za-z]{1,64}$/.test(traceId) ? traceId : "";
}
