// A HorizontalPodAutoscaler in words: what it measures, what follows from it, and what holds it back.
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget } from "#kinds";
import { humanDuration } from "#schema";

type Current = Partial<Pick<MetricTarget, "averageValue" | "averageUtilization" | "value">>;

interface Line {
  readonly name: string;
  readonly target: MetricTarget;
  readonly current: Current | undefined;
}

function lineOf({ type, resource, containerResource, pods, object, external }: MetricSpec, status: MetricStatus | undefined): Line {
  if (resource !== undefined) return { name: resource.name, target: resource.target, current: status?.resource?.current };
  if (containerResource !== undefined) {
    const { name, container, target } = containerResource;
    return { name: `${name} of container ${container}`, target, current: status?.containerResource?.current };
  }
  const other = pods ?? object ?? external;
  if (other === undefined) return { name: type, target: { type: "" }, current: undefined };
  return { name: other.metric.name, target: other.target, current: (status?.pods ?? status?.object ?? status?.external)?.current };
}

function amount({ averageValue, averageUtilization, value }: Current): string | undefined {
  if (averageUtilization !== undefined) return `${averageUtilization} % of what the pods request`;
  return averageValue === undefined ? (value === undefined ? undefined : String(value)) : `${averageValue} a pod`;
}

function metricText({ name, target, current }: Line): string {
  const now = current === undefined ? undefined : amount(current);
  const mean = current?.averageUtilization === undefined || current.averageValue === undefined ? "" : ` (${current.averageValue} a pod)`;
  return `  ${`${name}:`.padEnd(11)} ${now === undefined ? "not known" : `${now}${mean}`}; wanted ${amount(target) ?? "nothing that can be read"}`;
}

const pods = (count: number): string => `${count} ${count === 1 ? "pod" : "pods"}`;

function scaleLine({ spec, status }: HorizontalPodAutoscaler, nowMs: number): string {
  const bounds = `between ${spec.minReplicas ?? 1} and ${spec.maxReplicas === 0x7fff_ffff ? "any number" : spec.maxReplicas}`;
  if (status?.conditions === undefined) return `It has decided nothing yet; the bounds are ${bounds}.`;
  const { currentReplicas = 0, desiredReplicas, lastScaleTime } = status;
  const changed = lastScaleTime === undefined ? "never changed" : `changed ${humanDuration(Math.max(0, nowMs - Date.parse(lastScaleTime)))} ago`;
  return `It saw ${pods(currentReplicas)} and wants ${pods(desiredReplicas)}, ${bounds}; the number was ${changed}.`;
}

/** `revision` is the one that it scales; undefined autoscaler: it has not been made yet. */
export function horizontalText(
  revision: { readonly name: string; readonly namespace: string },
  autoscaler: HorizontalPodAutoscaler | undefined,
  nowMs: number,
): string {
  const head = `Revision:   ${revision.name}\nNamespace:  ${revision.namespace}\n\n`;
  if (autoscaler === undefined) return `${head}A HorizontalPodAutoscaler is to scale it, and has not been made yet.\n`;
  const { metadata, spec, status } = autoscaler;
  const whose = `HorizontalPodAutoscaler ${metadata.name} scales it by what its pods use, never to zero, and looks every 15s.`;
  const lines = (spec.metrics ?? []).map((metric, index) => metricText(lineOf(metric, status?.currentMetrics?.[index])));
  const conditions = (status?.conditions ?? []).map(
    ({ type, status: is, reason = "", message = "" }) => `  ${`${type}:`.padEnd(15)} ${is.padEnd(5)} ${reason}: ${message}`,
  );
  const parts = [
    `${whose}\n${scaleLine(autoscaler, nowMs)}`,
    `Metrics:\n${lines.join("\n")}`,
    ...(conditions.length === 0 ? [] : [`Conditions:\n${conditions.join("\n")}`]),
  ];
  return `${head}${parts.join("\n\n")}\n`;
}
