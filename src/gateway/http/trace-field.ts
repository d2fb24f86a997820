// Where a request says which trace it belongs to (W3C's `traceparent`, else Zipkin's `x-b3-traceid`), as Knative reads it.
import { fieldNamed } from "./head-scan.ts";
import type { RequestHead } from "./request-head.ts";

/** Characters `[traceFrom, traceTo)` of a head's text; empty when the request names no trace. */
export interface TraceSpan {
  traceFrom: number;
  traceTo: number;
}

/** Finds what stands where the id of the trace should be, which may be no id. */
export function findTraceId({ text, fields }: Pick<RequestHead, "text" | "fields">, span: TraceSpan): void {
  const parent = fieldNamed(text, fields, "traceparent");
  const field = parent < 0 ? fieldNamed(text, fields, "x-b3-traceid") : parent;
  span.traceFrom = field < 0 ? 0 : (fields[field + 2] ?? 0);
  span.traceTo = field < 0 ? 0 : (fields[field + 3] ?? 0);
  if (parent >= 0) narrowToSecondPart(text, span);
}

/** Between the first and the second dash; nothing where there is no dash. */
function narrowToSecondPart(text: string, span: TraceSpan): void {
  const first = text.indexOf("-", span.traceFrom) + 1;
  if (first === 0 || first > span.traceTo) {
    span.traceFrom = span.traceTo;
    return;
  }
  span.traceFrom = first;
  const second = text.indexOf("-", first);
  if (second >= 0 && second < span.traceTo) span.traceTo = second;
}
