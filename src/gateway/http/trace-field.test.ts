// Where the id of a trace stands in a head: whatever comes in its place, and in whatever other fields, the span is one of that field's value.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequestHead } from "./request-head.ts";
import { findTraceId, type TraceSpan } from "./trace-field.ts";

const rows: readonly { readonly name: string; readonly lines: readonly string[]; readonly want: string }[] = [
  { name: "no field", lines: [], want: "" },
  { name: "traceparent", lines: ["Traceparent: 00-abc-def-01"], want: "abc" },
  { name: "traceparent before x-b3-traceid", lines: ["x-b3-traceid: b3", "traceparent: 00-abc-def-01"], want: "abc" },
  { name: "the first of two", lines: ["traceparent: 00-abc-def-01", "traceparent: 00-other-def-01"], want: "abc" },
  { name: "an end behind the id", lines: ["traceparent: 00-abc"], want: "abc" },
  { name: "an end behind the first dash", lines: ["traceparent: 00-", "x: a-b"], want: "" },
  { name: "no dash", lines: ["traceparent: abc"], want: "" },
  { name: "no dash but in the next field", lines: ["traceparent: abc", "x-y: a-b"], want: "" },
  { name: "nothing, and no x-b3-traceid instead", lines: ["traceparent:", "x-b3-traceid: b3"], want: "" },
  { name: "x-b3-traceid, as it is", lines: ["X-B3-TraceId: a-b"], want: "a-b" },
];

for (const { name, lines, want } of rows)
  test(`the id of a trace: ${name}`, () => {
    const head = parseRequestHead(`GET /a-b HTTP/1.1\r\n${["Host: app-1.test", ...lines].join("\r\n")}\r\n\r\n`);
    assert.ok(!("reason" in head));
    const span: TraceSpan = { traceFrom: NaN, traceTo: NaN };
    findTraceId(head, span);
    assert.equal(head.text.slice(span.traceFrom, span.traceTo), want);
    assert.equal(span.traceTo - span.traceFrom, want.length);
  });
