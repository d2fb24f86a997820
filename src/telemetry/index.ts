// telemetry: metrics of the process and their text form.
export { DURATION_BOUNDS, newRow, observeIn, rowText } from "./histogram-row.ts";
export { labelText } from "./label-text.ts";
export { MetricRegistry, type Labels } from "./registry.ts";
export { publishEventLoopDelay, type Delays } from "./event-loop-delay.ts";
export { encodeSpans, type Attributes, type Span } from "./otlp.ts";
export { SpanExporter, type Delivered } from "./span-exporter.ts";
export { newSpanId, parseTraceParent, sampledTrace, traceParentText, type TraceParent } from "./trace-context.ts";
export { TraceOutbox, TRACES_PER_GATHER_MAX } from "./trace-outbox.ts";
