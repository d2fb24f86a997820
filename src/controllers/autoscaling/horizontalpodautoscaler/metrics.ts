// What the metrics of a HorizontalPodAutoscaler come to: a number of replicas, the status of each, and what went wrong. Pure.
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, Pod, PodMetrics } from "#kinds";
import { parseDurationMs } from "#core";
import { formatQuantity } from "#schema";
import type { PlanEvent } from "#reconcile";
import type { Why } from "./limits.ts";
import { milliOf, replicasFor, type Answer, type Sample, type Target } from "./replicas.ts";

export interface MetricsQuestion {
  readonly autoscaler: HorizontalPodAutoscaler;
  /** Of the target, as it is asked for. */
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly measured: readonly PodMetrics[];
  readonly wallMs: number;
}

export interface MetricsAnswer {
  readonly statuses: readonly MetricStatus[];
  /** Of the condition ScalingActive. */
  readonly active: Why & { readonly status: "True" | "False" };
  readonly events: readonly PlanEvent[];
  /** Undefined when the metrics give no number that could be acted on. */
  readonly recommended?: { readonly replicas: number; readonly metric: string };
}

/** One metric's share of it. */
type Proposal =
  | { readonly replicas: number; readonly metric: string; readonly status: MetricStatus }
  /** `where`: the kind of metric, for the error as a whole. */
  | { readonly reason: string; readonly error: string; readonly where: string };

/** A metric that could not be read has a status that says nothing, as Kubernetes has it. */
const NO_STATUS: MetricStatus = { type: "" };
const NO_API = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
const NO_EXTERNAL_API = "unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered";
const NANOS_A_MILLI = 1_000_000n;
const NANOS_A_BYTE = 1_000_000_000n;
const MILLIS = 1_000n;

/** Of the pods for which the resource was measured in all containers, or in the one that is asked for. */
export function samplesOf(measured: readonly PodMetrics[], resource: string, container: string): ReadonlyMap<string, Sample> {
  const samples = new Map<string, Sample>();
  for (const { metadata, containers, timestamp, window } of measured) {
    const counted = (containers ?? []).filter(({ name }) => container === "" || name === container);
    const values = counted.map(({ usage }) => milliOf(usage[resource]));
    const known = values.filter((value) => value !== undefined);
    if (values.length === 0 || known.length < values.length) continue;
    const milli = known.reduce((sum, value) => sum + value, 0n);
    samples.set(metadata.name, { milli, atMs: Date.parse(timestamp), windowMs: parseDurationMs(window) ?? 0 });
  }
  return samples;
}

/** Memory in bytes, all else in thousandths. */
function quantityOf(resource: string, milli: bigint): string {
  if (resource !== "memory") return formatQuantity({ nano: milli * NANOS_A_MILLI, format: "DecimalSI" });
  return formatQuantity({ nano: ((milli + MILLIS - 1n) / MILLIS) * NANOS_A_BYTE, format: "BinarySI" });
}

function targetOf({ averageValue, averageUtilization }: MetricTarget): Target | undefined {
  const milli = milliOf(averageValue);
  if (milli !== undefined) return { milli };
  return averageUtilization === undefined ? undefined : { utilization: averageUtilization };
}

interface Asked {
  readonly resource: string;
  readonly container: string;
  readonly target: MetricTarget;
}

/** The answer, or a text that says all that went wrong. */
function askResource(question: MetricsQuestion, { resource, container, target: wanted }: Asked): Answer | string {
  const target = targetOf(wanted);
  if (target === undefined) return "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set";
  const prefix = `failed to get ${resource} ${"milli" in target ? "usage" : "utilization"}`;
  if (question.measured.length === 0) return `${prefix}: unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`;
  const { current, pods, measured, wallMs } = question;
  const answer = replicasFor({ current, resource, container, target, pods, samples: samplesOf(measured, resource, container), wallMs });
  return typeof answer === "string" ? `${prefix}: ${answer}` : answer;
}

function proposeResource(question: MetricsQuestion, asked: Asked, type: "Resource" | "ContainerResource"): Proposal {
  const { resource, container } = asked;
  const answer = askResource(question, asked);
  const isContainer = type === "ContainerResource";
  if (typeof answer === "string") {
    const where = isContainer ? `failed to get ${container} container metric value` : `failed to get ${resource} resource metric value`;
    return { reason: isContainer ? "FailedGetContainerResourceMetric" : "FailedGetResourceMetric", error: answer, where };
  }
  const { replicas, milli, utilization } = answer;
  const current = { ...(utilization === undefined ? {} : { averageUtilization: utilization }), averageValue: quantityOf(resource, milli) };
  const share = `${resource} ${isContainer ? "container " : ""}resource utilization (percentage of request)`;
  const metric = utilization === undefined ? `${resource} resource` : share;
  const status: MetricStatus = isContainer
    ? { type, containerResource: { name: resource, container, current } }
    : { type, resource: { name: resource, current } };
  return { replicas, metric, status };
}

/** Nobody serves metrics of other programs here. */
function proposeOther({ type, pods, object, external }: MetricSpec, namespace: string): Proposal {
  if (pods !== undefined)
    return { reason: "FailedGetPodsMetric", error: `unable to get metric ${pods.metric.name}: ${NO_API}`, where: "failed to get pods metric value" };
  if (object !== undefined) {
    const { kind, name } = object.describedObject;
    const error = `unable to get metric ${object.metric.name}: ${NO_API} on ${kind} ${namespace}/${name}`;
    return { reason: "FailedGetObjectMetric", error, where: "failed to get object metric value" };
  }
  if (external !== undefined) {
    const { name } = external.metric;
    const error = `unable to get external metric ${namespace}/${name}: ${NO_EXTERNAL_API}`;
    return { reason: "FailedGetExternalMetric", error, where: `failed to get ${name} external metric value` };
  }
  return { reason: "InvalidMetricSourceType", error: `unknown metric source type ${JSON.stringify(type)}`, where: "" };
}

function proposalOf(question: MetricsQuestion, spec: MetricSpec): Proposal {
  const { type, resource, containerResource } = spec;
  if (type === "Resource" && resource !== undefined)
    return proposeResource(question, { resource: resource.name, container: "", target: resource.target }, type);
  if (type === "ContainerResource" && containerResource !== undefined) {
    const { name, container, target } = containerResource;
    return proposeResource(question, { resource: name, container, target }, type);
  }
  return proposeOther(spec, question.autoscaler.metadata.namespace ?? "");
}

const warning = (reason: string, message: string): PlanEvent => ({ type: "Warning", reason, message });

/** The metric that wants most replicas wins; where one cannot be read, nobody is taken away for the sake of the others. */
export function metricsFor(question: MetricsQuestion): MetricsAnswer {
  const { metrics = [] } = question.autoscaler.spec;
  const proposals = metrics.map((spec) => proposalOf(question, spec));
  const statuses = proposals.map((proposal) => ("error" in proposal ? NO_STATUS : proposal.status));
  const failed = proposals.flatMap((proposal) => ("error" in proposal ? [proposal] : []));
  const good = proposals.flatMap((proposal) => ("error" in proposal ? [] : [proposal]));
  const events = failed.map(({ reason, error }) => warning(reason, error));
  const best = good.reduce<(typeof good)[number] | undefined>((most, one) => (most === undefined || one.replicas > most.replicas ? one : most), undefined);
  const [first] = failed;
  if (best === undefined || (first !== undefined && best.replicas < question.current)) {
    const { reason = "", error = "", where = "" } = first ?? {};
    const whole = `invalid metrics (${failed.length} invalid out of ${metrics.length}), first error is: ${where === "" ? "" : `${where}: `}${error}`;
    const active = { status: "False", reason, message: `the HPA was unable to compute the replica count: ${error}` } as const;
    return { statuses, active, events: [...events, warning("FailedComputeMetricsReplicas", whole)] };
  }
  const { replicas, metric } = best;
  const message = `the HPA was able to successfully calculate a replica count from ${metric}`;
  return { statuses, active: { status: "True", reason: "ValidMetricFound", message }, events, recommended: { replicas, metric } };
}
