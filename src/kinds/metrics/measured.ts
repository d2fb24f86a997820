// What was measured, as objects of metrics.k8s.io.
import { formatDurationMs, rfc3339 } from "#core";
import { apiVersionOf, formatQuantity } from "#schema";
import type { ClusterNode } from "../core/node.ts";
import type { Pod } from "../core/pod.ts";
import { NodeMetrics, PodMetrics } from "./usage.ts";

export interface PartRate {
  readonly name: string;
  /** Nanoseconds of CPU time a second. */
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}

export interface MeasuredRate {
  readonly parts: readonly PartRate[];
  /** The end of the window that the rates are means of, wall-clock milliseconds. */
  readonly atMs: number;
  readonly windowMs: number;
}

const NANO = 1_000_000_000n;

function usageOf({ cpuNanos, memoryBytes }: Omit<PartRate, "name">): Record<string, string> {
  return {
    cpu: formatQuantity({ nano: BigInt(cpuNanos), format: "DecimalSI" }),
    memory: formatQuantity({ nano: BigInt(memoryBytes) * NANO, format: "BinarySI" }),
  };
}

function windowOf({ atMs, windowMs }: MeasuredRate): { readonly timestamp: string; readonly window: string } {
  return { timestamp: rfc3339(atMs), window: formatDurationMs(Math.round(windowMs)) };
}

/** Labels are the pod's, so that selectors find it. */
export function podMetricsOf(pod: Pod, rate: MeasuredRate, nowMs: number): PodMetrics {
  const { name, namespace = "", labels } = pod.metadata;
  const metadata = { name, namespace, creationTimestamp: rfc3339(nowMs), ...(labels === undefined ? {} : { labels }) };
  return {
    apiVersion: apiVersionOf(PodMetrics),
    kind: PodMetrics.kind,
    metadata: metadata as PodMetrics["metadata"],
    ...windowOf(rate),
    containers: rate.parts.map((part) => ({ name: part.name, usage: usageOf(part) })),
  };
}

/** The whole machine, with what runs there besides pods. */
export function nodeMetricsOf(node: ClusterNode, rate: MeasuredRate, nowMs: number): NodeMetrics {
  const { name, labels = {} } = node.metadata;
  const sum = rate.parts.reduce((all, part) => ({ cpuNanos: all.cpuNanos + part.cpuNanos, memoryBytes: all.memoryBytes + part.memoryBytes }), {
    cpuNanos: 0,
    memoryBytes: 0,
  });
  return {
    apiVersion: apiVersionOf(NodeMetrics),
    kind: NodeMetrics.kind,
    metadata: { name, creationTimestamp: rfc3339(nowMs), labels } as unknown as NodeMetrics["metadata"],
    ...windowOf(rate),
    usage: usageOf(sum),
  };
}
