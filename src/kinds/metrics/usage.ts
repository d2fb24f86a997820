// PodMetrics and NodeMetrics of metrics.k8s.io/v1beta1: what pods and nodes use, measured when somebody asks.
import { formatQuantity, parseQuantity, type Column, type Kind, type Quantity } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type { NodeMetrics as NodeMetricsObject, PodMetrics as PodMetricsObject } from "./v1beta1.types.ts";

export type PodMetrics = PodMetricsObject;
export type NodeMetrics = NodeMetricsObject;

const RESOURCES = ["cpu", "memory"] as const;

type Usage = Readonly<Record<string, string | number>>;

function usagesOf(object: unknown): readonly Usage[] {
  const { containers, usage } = object as Partial<PodMetrics & NodeMetrics>;
  return usage === undefined ? (containers ?? []).map((container) => container.usage) : [usage];
}

function sumText(object: unknown, resource: string): string {
  const quantities = usagesOf(object).flatMap((usage) => parseQuantity(usage[resource] ?? "") ?? []);
  const [first] = quantities;
  if (first === undefined) return "0";
  const sum: Quantity = { format: first.format, nano: quantities.reduce((total, { nano }) => total + nano, 0n) };
  return formatQuantity(sum);
}

/** As metrics-server shows them: a column a resource, summed over containers. */
const columns: readonly Column[] = [
  ...RESOURCES.map((resource): Column => ({ name: resource, type: "string", format: "quantity", cell: (object) => sumText(object, resource) })),
  { name: "Window", type: "string", format: "duration", cell: (object) => (object as unknown as PodMetrics).window },
];

const common = { group: "metrics.k8s.io", version: "v1beta1", singular: "", definitions, columns } as const;
const PREFIX = "io.k8s.metrics.pkg.apis.metrics.v1beta1";

export const PodMetrics: Kind<PodMetrics> = builtin<PodMetrics>({ ...common, kind: "PodMetrics", plural: "pods", definition: `${PREFIX}.PodMetrics` });
export const NodeMetrics: Kind<NodeMetrics> = builtin<NodeMetrics>({
  ...common,
  kind: "NodeMetrics",
  plural: "nodes",
  scope: "Cluster",
  definition: `${PREFIX}.NodeMetrics`,
});
