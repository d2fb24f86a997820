// What names of the cluster come to, row by row of the specification.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreService, EndpointSlice } from "#kinds";
import { answerFor } from "./answers.ts";
import { ServiceBook } from "./service-book.ts";

const service = (spec: object): CoreService => ({ metadata: { name: "s", namespace: "default" }, spec }) as unknown as CoreService;
const slice = (of: string, endpoints: readonly object[], ports: readonly object[]): EndpointSlice =>
  ({ metadata: { name: "x", namespace: "default", labels: { "kubernetes.io/service-name": of } }, endpoints, ports }) as unknown as EndpointSlice;

function book(): ServiceBook {
  const made = new ServiceBook();
  const ports = [
    { name: "http", port: 80 },
    { name: "names", port: 53, protocol: "UDP" },
  ];
  made.setService("default/plain", service({ clusterIP: "10.97.0.20", ports }));
  made.setService("default/headless", service({ clusterIP: "None", ports }));
  made.setService("default/empty", service({ clusterIP: "None", ports }));
  made.setService("default/outside", service({ type: "ExternalName", externalName: "Example.com." }));
  made.setService("default/inside", service({ type: "ExternalName", externalName: "plain.default.svc.cluster.local" }));
  made.setService("default/twice", service({ type: "ExternalName", externalName: "inside.default.svc.cluster.local" }));
  made.setService("default/round", service({ type: "ExternalName", externalName: "round.default.svc.cluster.local" }));
  const endpoints = [
    { addresses: ["100.64.0.3"], hostname: "zero" },
    { addresses: ["100.64.0.4"], conditions: { ready: true } },
    { addresses: ["100.64.0.5"], conditions: { ready: false } },
  ];
  made.setSlice("default/headless-1", slice("headless", endpoints, [{ name: "http", port: 8080 }]));
  return made;
}

/** `A plain.default.svc` → the words of the answer. */
function said(type: string, name: string): string {
  const answer = answerFor({ type, name }, book(), "cluster.local");
  if (answer.is === "unknown" || answer.is === "elsewhere") return answer.is;
  const words = answer.records.map(({ type: of, data }) => `${of} ${typeof data === "string" ? data : `${data.port} ${data.target}`}`);
  return [...words, ...(answer.is === "alias" ? [`ask ${answer.target}`] : answer.services.map((key) => `opens ${key}`))].join(", ");
}

const rows: readonly (readonly [type: string, name: string, want: string])[] = [
  ["A", "plain.default.svc.cluster.local", "A 10.97.0.20, opens default/plain"],
  ["AAAA", "plain.default.svc.cluster.local", ""],
  ["A", "plain.other.svc.cluster.local", "unknown"],
  ["A", "more.plain.default.svc.cluster.local", "unknown"],
  ["A", "headless.default.svc.cluster.local", "A 100.64.0.3, A 100.64.0.4"],
  ["A", "empty.default.svc.cluster.local", ""],
  ["A", "zero.headless.default.svc.cluster.local", "A 100.64.0.3"],
  ["A", "100-64-0-4.headless.default.svc.cluster.local", "A 100.64.0.4"],
  ["A", "100-64-0-5.headless.default.svc.cluster.local", "unknown"],
  ["SRV", "_http._tcp.plain.default.svc.cluster.local", "SRV 80 plain.default.svc.cluster.local, opens default/plain"],
  ["SRV", "_names._udp.plain.default.svc.cluster.local", "SRV 53 plain.default.svc.cluster.local, opens default/plain"],
  ["SRV", "_http._udp.plain.default.svc.cluster.local", "unknown"],
  [
    "SRV",
    "_http._tcp.headless.default.svc.cluster.local",
    "SRV 8080 zero.headless.default.svc.cluster.local, SRV 8080 100-64-0-4.headless.default.svc.cluster.local",
  ],
  ["A", "outside.default.svc.cluster.local", "CNAME example.com, ask example.com"],
  ["CNAME", "outside.default.svc.cluster.local", "CNAME example.com"],
  ["A", "inside.default.svc.cluster.local", "CNAME plain.default.svc.cluster.local, A 10.97.0.20, opens default/plain"],
  ["A", "twice.default.svc.cluster.local", "CNAME inside.default.svc.cluster.local, CNAME plain.default.svc.cluster.local, A 10.97.0.20, opens default/plain"],
  ["A", "round.default.svc.cluster.local", "unknown"],
  ["PTR", "20.0.97.10.in-addr.arpa", "PTR plain.default.svc.cluster.local"],
  ["PTR", "1.0.0.127.in-addr.arpa", "elsewhere"],
  ["A", "100-64-0-4.default.pod.cluster.local", "A 100.64.0.4"],
  ["A", "nobody.default.pod.cluster.local", "unknown"],
  ["TXT", "dns-version.cluster.local", "TXT 1.1.0"],
  ["A", "default.svc.cluster.local", ""],
  ["A", "nowhere.svc.cluster.local", "unknown"],
  ["A", "cluster.local", ""],
  ["A", "example.com", "elsewhere"],
  ["A", "notcluster.local", "elsewhere"],
];
for (const [type, name, want] of rows) test(`answerFor: ${type} ${name}`, () => assert.equal(said(type, name), want));

test("a slice that goes to another Service, or away, takes its endpoints along", () => {
  const made = book();
  made.setSlice("default/headless-1", slice("empty", [{ addresses: ["100.64.0.9"] }], [{ name: "http", port: 1 }]));
  assert.deepEqual([made.endpoints("default/headless"), made.targets("default/empty", "http")], [[], [{ host: "100.64.0.9", port: 1 }]]);
  made.setSlice("default/headless-1", undefined);
  assert.deepEqual(made.endpoints("default/empty"), []);
});
