// Headers that go on from a request to subscribers, and from their answers with replies (eventing.md 2.1).
import type { Attributes } from "./hops.ts";

const NAMES = new Set(["x-request-id", "retry-after"]);
const PREFIXES = ["knative-", "x-b3-"];
/** W3C trace context: an attribute of the event where the event has none. */
export const TRACE_NAMES = ["traceparent", "tracestate"] as const;

/** Of what is more than this, nothing is passed on. */
const BYTES_MAX = 8_192;

/** Everything else is dropped: cookies, authorization, the attributes of structured events. Names are in lower case. */
export function passedOn(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const passed = Object.entries(headers).flatMap(([name, value]) =>
    value !== undefined && (NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix))) ? [[name, value] as const] : [],
  );
  const bytes = passed.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return bytes > BYTES_MAX ? {} : Object.fromEntries(passed);
}

/** The span that an event goes on from; an answer to it belongs to the same trace. */
export function traceHeaders({ traceparent, tracestate }: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return traceparent === undefined ? {} : { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}

/** The event's attributes with the trace of the request that brought it. */
export function withTrace(attributes: Attributes, headers: Readonly<Record<string, string | undefined>>): Attributes {
  const { traceparent, tracestate } = headers;
  if (traceparent === undefined || traceparent === "" || attributes.has("traceparent")) return attributes;
  return new Map([
    ...attributes,
    ["traceparent", traceparent],
    ...(tracestate === undefined || tracestate === "" ? [] : ([["tracestate", tracestate]] as const)),
  ]);
}
