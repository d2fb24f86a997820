// HorizontalPodAutoscaler of autoscaling/v2: as many pods as keep a measured value near its target.
import { equal, type Column, type Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age, NONE } from "../core/columns.ts";
import { definitions } from "./definitions.ts";
import { autoscalerErrors } from "./horizontal-pod-autoscaler-checks.ts";
import type {
  HorizontalPodAutoscaler as AutoscalerObject,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
  MetricValueStatus,
} from "./v2.types.ts";

export type HorizontalPodAutoscaler = AutoscalerObject;

/** Kubernetes shows so many metrics, and how many more there are. */
const METRICS_SHOWN = 2;
const UNKNOWN = "<unknown>";

const CPU_DEFAULT: MetricSpec = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } };
const UP_DEFAULT: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
/** How long it waits for less load is the controller's to say. */
const DOWN_DEFAULT: HPAScalingRules = { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] };

function autoscalerDefaults(autoscaler: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const spec = autoscaler.spec ?? ({ scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 } satisfies HorizontalPodAutoscalerSpec);
  const { behavior, metrics = [] } = spec;
  const filled: HorizontalPodAutoscalerSpec = {
    ...spec,
    minReplicas: spec.minReplicas ?? 1,
    metrics: metrics.length === 0 ? [CPU_DEFAULT] : metrics,
    ...(behavior === undefined
      ? {}
      : { behavior: { ...behavior, scaleUp: { ...UP_DEFAULT, ...behavior.scaleUp }, scaleDown: { ...DOWN_DEFAULT, ...behavior.scaleDown } } }),
  };
  const { status = { desiredReplicas: 0, currentMetrics: null } as unknown as NonNullable<HorizontalPodAutoscaler["status"]> } = autoscaler;
  return equal(spec, filled) && status === autoscaler.status ? autoscaler : { ...autoscaler, spec: filled, status };
}

interface Shown {
  readonly target: MetricTarget;
  readonly current: MetricValueStatus | undefined;
  /** The resource's name in front, with percentages; otherwise that a value is an average is told behind it. */
  readonly resource?: string;
}

function shownOf(
  spec: MetricSpec,
  status: Partial<Record<"object" | "pods" | "resource" | "containerResource" | "external", { current: MetricValueStatus }>>,
): Shown | undefined {
  const { object, pods, resource, containerResource, external } = spec;
  if (spec.type === "External" && external !== undefined) return { target: external.target, current: status.external?.current };
  if (spec.type === "Object" && object !== undefined) return { target: object.target, current: status.object?.current };
  if (spec.type === "Pods" && pods !== undefined) return { target: pods.target, current: status.pods?.current };
  if (spec.type === "Resource" && resource !== undefined) return { target: resource.target, current: status.resource?.current, resource: resource.name };
  if (spec.type !== "ContainerResource" || containerResource === undefined) return undefined;
  return { target: containerResource.target, current: status.containerResource?.current, resource: containerResource.name };
}

const percent = (value: number | undefined, otherwise: string): string => (value === undefined ? otherwise : `${value}%`);

function metricText(spec: MetricSpec, status: Parameters<typeof shownOf>[1]): string {
  const shown = shownOf(spec, status);
  if (shown === undefined) return "<unknown type>";
  const { target, current, resource } = shown;
  const average = `${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
  if (resource !== undefined) {
    const utilization = `${percent(current?.averageUtilization, UNKNOWN)}/${percent(target.averageUtilization, "<auto>")}`;
    return `${resource}: ${target.averageValue === undefined ? utilization : average}`;
  }
  if (spec.type === "Pods") return average;
  return target.averageValue === undefined ? `${current?.value ?? UNKNOWN}/${target.value}` : `${average} (avg)`;
}

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const { metrics = [] } = spec;
  if (metrics.length === 0) return NONE;
  const shown = metrics.slice(0, METRICS_SHOWN).map((metric, index) => metricText(metric, status?.currentMetrics?.[index] ?? {}));
  const more = metrics.length - METRICS_SHOWN;
  return `${shown.join(", ")}${more > 0 ? ` + ${more} more...` : ""}`;
}

const cell =
  (read: (autoscaler: HorizontalPodAutoscaler) => string | number): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as HorizontalPodAutoscaler);

const columns: readonly Column[] = [
  { name: "Reference", type: "string", cell: cell(({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`) },
  { name: "Targets", type: "string", cell: cell(targetsText) },
  { name: "MinPods", type: "string", cell: cell(({ spec }) => (spec.minReplicas === undefined ? "<unset>" : String(spec.minReplicas))) },
  { name: "MaxPods", type: "string", cell: cell(({ spec }) => spec.maxReplicas) },
  { name: "Replicas", type: "string", cell: cell(({ status }) => status?.currentReplicas ?? 0) },
  age,
];

export const HorizontalPodAutoscaler: Kind<HorizontalPodAutoscaler> = builtin<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  metadataChecks: { update: true, object: false, finalizers: true },
  blank: { spec: { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 }, status: { desiredReplicas: 0, currentMetrics: null } },
  columns,
  defaultObject: autoscalerDefaults,
  validate: autoscalerErrors,
});
