// PodMetrics and NodeMetrics: their tables, and their protobuf.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { compileKind, tableOf, type Kind, type KubeObject } from "#schema";
import { NodeMetrics, PodMetrics } from "./usage.ts";

const pod = {
  apiVersion: "metrics.k8s.io/v1beta1",
  kind: "PodMetrics",
  metadata: { name: "p", namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
  timestamp: "2026-01-01T00:00:00Z",
  window: "15.012s",
  containers: [
    { name: "a", usage: { cpu: "250m", memory: "20Mi" } },
    { name: "b", usage: { cpu: "1", memory: "4Mi" } },
  ],
};
const node = { ...pod, kind: "NodeMetrics", metadata: { name: "n" }, containers: undefined, usage: { cpu: "1500m", memory: "1Gi" } };

test("tables have a column a resource, summed over containers, and the window", () => {
  const rows = [PodMetrics as unknown as Kind, NodeMetrics as unknown as Kind].map((kind) => tableOf(kind));
  deepEqual(
    rows[0]?.columns.map(({ name }) => name),
    ["Name", "cpu", "memory", "Window"],
  );
  deepEqual(rows[0]?.cells(pod as unknown as KubeObject, 0), ["p", "1250m", "24Mi", "15.012s"]);
  deepEqual(rows[1]?.cells(node as unknown as KubeObject, 0), ["n", "1500m", "1Gi", "15.012s"]);
});

test("in protobuf a window is nanoseconds", () => {
  const { protobuf } = compileKind(PodMetrics as unknown as Kind);
  const bytes = protobuf?.encode(pod) ?? new Uint8Array();
  // Field 3, a message of 6 bytes: field 1, 15,012,000,000.
  equal(Buffer.from(bytes).includes(Buffer.from("1a060880e2a3f637", "hex")), true, Buffer.from(bytes).toString("hex"));
  const { window, containers } = (protobuf?.decode(bytes) ?? {}) as Partial<typeof pod>;
  deepEqual([window, containers], [pod.window, pod.containers]);
});
