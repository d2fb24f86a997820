// Fields and resources of a pod as variables and files get them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#kinds";
import { fieldOf, resourceOf, type ResourceField } from "./pod-fields.ts";

const pod = {
  metadata: { name: "p", namespace: "ns", uid: "u", labels: { b: "2", a: 'say "1"' }, annotations: { "x.y/z": "v" } },
  spec: { nodeName: "here", serviceAccountName: "robot", containers: [] },
} as unknown as Pod;
const place = { podIP: "10.0.0.2", hostIP: "127.0.0.1" };

const fields: readonly (readonly [path: string, want: string | undefined])[] = [
  ["metadata.name", "p"],
  ["metadata.namespace", "ns"],
  ["metadata.uid", "u"],
  ["metadata.labels['b']", "2"],
  ["metadata.labels['none']", ""],
  ["metadata.annotations['x.y/z']", "v"],
  ["metadata.labels", 'a="say \\"1\\""\nb="2"'],
  ["spec.nodeName", "here"],
  ["spec.serviceAccountName", "robot"],
  ["status.podIP", "10.0.0.2"],
  ["status.podIPs", "10.0.0.2"],
  ["status.hostIP", "127.0.0.1"],
  ["spec.restartPolicy", undefined],
];
for (const [path, want] of fields) test(`fieldOf: ${path}`, () => assert.equal(fieldOf(pod, place, path), want));

const node = { cpuNanos: 4_000_000_000n, memoryBytes: 8n << 30n };
const limits = { cpu: "1500m", memory: "64Mi" };
const resources: readonly (readonly [given: ResourceField, want: string | undefined])[] = [
  [{ resource: "limits.cpu" }, "2"],
  [{ resource: "limits.cpu", divisor: "1m" }, "1500"],
  [{ resource: "limits.memory" }, String(64 << 20)],
  [{ resource: "limits.memory", divisor: "1Mi" }, "64"],
  [{ resource: "limits.memory", divisor: "1Gi" }, "1"],
  [{ resource: "requests.cpu" }, "0"],
  [{ resource: "limits.pods" }, undefined],
];
for (const [given, want] of resources) {
  test(`resourceOf: ${given.resource} by ${given.divisor ?? "nothing"}`, () => assert.equal(resourceOf({ resources: { limits } }, given, node), want));
}
test("resourceOf: without a limit it is the machine", () => {
  assert.equal(resourceOf({}, { resource: "limits.cpu" }, node), "4");
  assert.equal(resourceOf({}, { resource: "limits.memory", divisor: "1Gi" }, node), "8");
});
