// HorizontalPodAutoscalers as autoscaling/v1 shows them: CPU in fields of their own, all else in annotations. As Kubernetes converts them.
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "./v2.types.ts";
import type { HorizontalPodAutoscaler as V1Object } from "./v1.types.ts";

const PREFIX = "autoscaling.alpha.kubernetes.io/";
const ANNOTATION = {
  metrics: `${PREFIX}metrics`,
  current: `${PREFIX}current-metrics`,
  conditions: `${PREFIX}conditions`,
  behavior: `${PREFIX}behavior`,
} as const;
/** What stands in annotations is no part of the object in other versions. */
const OURS: readonly string[] = Object.values(ANNOTATION);

type Json = Record<string, unknown>;
type Quantity = string | number;

const given = (members: Json): Json => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** A metric's name and selector, under the names that a source has for them. */
const named = ({ name, selector }: MetricIdentifier, under: "selector" | "metricSelector"): Json => ({
  metricName: name,
  ...(selector === undefined ? {} : { [under]: selector }),
});
const identifierOf = (from: Json, under: "selector" | "metricSelector"): MetricIdentifier =>
  given({ name: from["metricName"], selector: from[under] }) as unknown as MetricIdentifier;

function specToV1({ type, object, pods, resource, containerResource, external }: MetricSpec): Json {
  const shares = ({ averageUtilization, averageValue }: MetricTarget): Json =>
    given({ targetAverageUtilization: averageUtilization, targetAverageValue: averageValue });
  return given({
    type,
    object:
      object &&
      given({
        target: object.describedObject,
        ...named(object.metric, "selector"),
        targetValue: object.target.value ?? "0",
        averageValue: object.target.averageValue,
      }),
    pods: pods && { ...named(pods.metric, "selector"), targetAverageValue: pods.target.averageValue ?? "0" },
    resource: resource && { name: resource.name, ...shares(resource.target) },
    containerResource: containerResource && { name: containerResource.name, ...shares(containerResource.target), container: containerResource.container },
    external:
      external && given({ ...named(external.metric, "metricSelector"), targetValue: external.target.value, targetAverageValue: external.target.averageValue }),
  });
}

/** `type` follows from which of the values is there. */
function targetOf(type: string, values: Omit<MetricTarget, "type">): MetricTarget {
  return given({ type, ...values }) as unknown as MetricTarget;
}

const sharesOf = (from: Json): MetricTarget => {
  const utilization = from["targetAverageUtilization"] as number | undefined;
  return targetOf(
    utilization === undefined ? "AverageValue" : "Utilization",
    given({ averageValue: from["targetAverageValue"], averageUtilization: utilization }),
  );
};

function specFromV1(from: Json): MetricSpec {
  const [object, pods, resource, containerResource, external] = ["object", "pods", "resource", "containerResource", "external"].map(
    (name) => from[name] as Json | undefined,
  );
  return given({
    type: from["type"],
    object: object && {
      describedObject: object["target"] as CrossVersionObjectReference,
      target: targetOf(
        object["averageValue"] === undefined ? "Value" : "AverageValue",
        given({ value: object["targetValue"], averageValue: object["averageValue"] }),
      ),
      metric: identifierOf(object, "selector"),
    },
    pods: pods && { metric: identifierOf(pods, "selector"), target: targetOf("AverageValue", { averageValue: pods["targetAverageValue"] as Quantity }) },
    resource: resource && { name: resource["name"], target: sharesOf(resource) },
    containerResource: containerResource && { name: containerResource["name"], target: sharesOf(containerResource), container: containerResource["container"] },
    external: external && {
      metric: identifierOf(external, "metricSelector"),
      target: targetOf(
        external["targetValue"] === undefined ? "AverageValue" : "Value",
        given({ value: external["targetValue"], averageValue: external["targetAverageValue"] }),
      ),
    },
  }) as unknown as MetricSpec;
}

function statusToV1({ type, object, pods, resource, containerResource, external }: MetricStatus): Json {
  const shares = ({ averageUtilization, averageValue }: MetricValueStatus): Json =>
    given({ currentAverageUtilization: averageUtilization, currentAverageValue: averageValue ?? "0" });
  return given({
    type,
    object:
      object &&
      given({
        target: object.describedObject,
        ...named(object.metric, "selector"),
        currentValue: object.current.value ?? "0",
        averageValue: object.current.averageValue,
      }),
    pods: pods && { ...named(pods.metric, "selector"), currentAverageValue: pods.current.averageValue ?? "0" },
    resource: resource && { name: resource.name, ...shares(resource.current) },
    containerResource: containerResource && { name: containerResource.name, ...shares(containerResource.current), container: containerResource.container },
    external:
      external &&
      given({ ...named(external.metric, "metricSelector"), currentValue: external.current.value ?? "0", currentAverageValue: external.current.averageValue }),
  });
}

function statusFromV1(from: Json): MetricStatus {
  const [object, pods, resource, containerResource, external] = ["object", "pods", "resource", "containerResource", "external"].map(
    (name) => from[name] as Json | undefined,
  );
  const shares = (of: Json): Json => given({ averageValue: of["currentAverageValue"], averageUtilization: of["currentAverageUtilization"] });
  return given({
    type: from["type"],
    object: object && {
      describedObject: object["target"],
      metric: identifierOf(object, "selector"),
      current: given({ value: object["currentValue"], averageValue: object["averageValue"] }),
    },
    pods: pods && { metric: identifierOf(pods, "selector"), current: { averageValue: pods["currentAverageValue"] } },
    resource: resource && { name: resource["name"], current: shares(resource) },
    containerResource: containerResource && { name: containerResource["name"], current: shares(containerResource), container: containerResource["container"] },
    external: external && {
      metric: identifierOf(external, "metricSelector"),
      current: given({ value: external["currentValue"], averageValue: external["currentAverageValue"] }),
    },
  }) as unknown as MetricStatus;
}

/** Kubernetes writes the rules as its own type has them, with capital letters, and reads them in any. */
function recased(value: unknown, change: (letter: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => recased(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [change(name.charAt(0)) + name.slice(1), recased(member, change)]));
}

/** Undefined for what is not there or cannot be read. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

const isCpuShare = ({ type, resource }: MetricSpec): boolean =>
  type === "Resource" && resource?.name === "cpu" && resource.target.averageUtilization !== undefined;

/** Annotations without those that a conversion makes, and with these. */
function annotated(annotations: Readonly<Record<string, string>> | undefined, added: Json): { annotations?: Record<string, string> } {
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !OURS.includes(name));
  const all = { ...Object.fromEntries(kept), ...(given(added) as Record<string, string>) };
  return Object.keys(all).length === 0 ? {} : { annotations: all };
}

const listText = (list: readonly unknown[] | null | undefined): string | undefined =>
  list === undefined || list === null || list.length === 0 ? undefined : JSON.stringify(list);

export function autoscalerToV1({ metadata, spec, status }: HorizontalPodAutoscaler): V1Object {
  const { metrics = [], behavior, scaleTargetRef, minReplicas, maxReplicas } = spec;
  const { conditions, currentMetrics, ...counts } = status ?? { desiredReplicas: 0 };
  const cpu = (currentMetrics ?? []).findLast(
    ({ type, resource }) => type === "Resource" && resource?.name === "cpu" && resource.current.averageUtilization !== undefined,
  );
  const { annotations, ...meta } = metadata;
  const added = {
    [ANNOTATION.metrics]: listText(metrics.filter((metric) => !isCpuShare(metric)).map(specToV1)),
    [ANNOTATION.current]: listText((currentMetrics ?? []).map(statusToV1)),
    [ANNOTATION.behavior]: behavior && JSON.stringify(recased(behavior, (letter) => letter.toUpperCase())),
    [ANNOTATION.conditions]: listText(conditions),
  };
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: { ...meta, ...annotated(annotations, added) } as V1Object["metadata"],
    spec: given({
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      targetCPUUtilizationPercentage: metrics.find(isCpuShare)?.resource?.target.averageUtilization,
    }) as unknown as V1Object["spec"],
    status: given({
      ...counts,
      currentReplicas: counts.currentReplicas ?? 0,
      currentCPUUtilizationPercentage: cpu?.resource?.current.averageUtilization,
    }) as unknown as NonNullable<V1Object["status"]>,
  };
}

export function autoscalerFromV1({ metadata, spec, status }: V1Object): HorizontalPodAutoscaler {
  const { annotations, ...meta } = metadata;
  const { targetCPUUtilizationPercentage: target, scaleTargetRef, minReplicas, maxReplicas } = spec;
  const { currentCPUUtilizationPercentage: current, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const others = parsed<Json[]>(annotations?.[ANNOTATION.metrics])?.map(specFromV1) ?? [];
  const cpu: MetricSpec[] =
    target === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: target } } }];
  const told = parsed<Json[]>(annotations?.[ANNOTATION.current])?.map(statusFromV1);
  const used: MetricStatus[] = current === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: current } } }];
  const behavior = recased(parsed(annotations?.[ANNOTATION.behavior]), (letter) => letter.toLowerCase());
  const conditions = parsed<NonNullable<HorizontalPodAutoscaler["status"]>["conditions"]>(annotations?.[ANNOTATION.conditions]);
  const metrics = [...others, ...cpu];
  const measured = told ?? used;
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata: { ...meta, ...annotated(annotations, {}) } as HorizontalPodAutoscaler["metadata"],
    spec: given({
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      metrics: metrics.length === 0 ? undefined : metrics,
      behavior,
    }) as unknown as HorizontalPodAutoscaler["spec"],
    status: given({ ...counts, currentMetrics: measured.length === 0 ? null : measured, conditions }) as unknown as NonNullable<
      HorizontalPodAutoscaler["status"]
    >,
  };
}
