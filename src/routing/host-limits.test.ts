// Annotations that limit what a host takes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress } from "#kinds";
import { hostLimits } from "./host-limits.ts";
import { ingressRoutes } from "./ingress-routes.ts";

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

test("limits of an Ingress hold for each of its hosts", () => {
  const metadata = { name: "in", namespace: "ns", annotations: { "eider.dev/request-body-bytes-max": "1Mi" } };
  const rules = [
    { hosts: ["a.test", "b.test"], http: { paths: [{ splits: [{ serviceName: "rev", serviceNamespace: "ns", servicePort: 80, percent: 100 }] }] } },
  ];
  const { hosts } = ingressRoutes({ metadata, spec: { rules } } as unknown as Ingress, "cluster.local");
  assert.deepEqual(
    hosts.map(({ host, bodyBytesMax }) => [host, bodyBytesMax]),
    [
      ["a.test", 1 << 20],
      ["b.test", 1 << 20],
    ],
  );
});
