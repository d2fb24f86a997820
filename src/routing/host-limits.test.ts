// Annotations that limit what a host takes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostLimits } from "./host-limits.ts";

const rows: readonly { readonly name: string; readonly body?: string; readonly requests?: string; readonly want: ReturnType<typeof hostLimits> }[] = [
  { name: "none", want: {} },
  { name: "numbers", body: "1000", requests: "20", want: { bodyBytesMax: 1000, requestsMax: 20 } },
  { name: "units", body: "10Mi", requests: "2k", want: { bodyBytesMax: 10_485_760, requestsMax: 2000 } },
  { name: "no body at all", body: "0", want: { bodyBytesMax: 0 } },
  { name: "no request at all is no limit", requests: "0", want: {} },
  { name: "what is no number", body: "-1", requests: "many", want: {} },
  { name: "a fraction", body: "1.5Mi", want: {} },
  { name: "beyond what numbers hold", body: "999999999999Gi", want: {} },
];
for (const { name, body, requests, want } of rows) {
  test(`limits of hosts: ${name}`, () => {
    const annotations = {
      ...(body === undefined ? {} : { "eider.dev/request-body-bytes-max": body }),
      ...(requests === undefined ? {} : { "eider.dev/requests-max": requests }),
    };
    assert.deepEqual(hostLimits(annotations), want);
  });
}
