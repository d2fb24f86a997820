// Defaults and checks of PodAutoscaler and Metric (serving.md §1.8).
import { autoscaling } from "../keys.ts";
import { invalidValue, missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";
import type { Webhook } from "../serving/admission-context.ts";
import { checkAutoscalingAnnotations } from "../serving/autoscaling-annotations.ts";
import { checkContainerConcurrency } from "../serving/revision-spec-checks.ts";
import type { Metric } from "./metric.ts";
import type { PodAutoscaler } from "./pod-autoscaler.ts";

/** Errors at the reference. */
export function checkReference(reference: { apiVersion?: string; kind?: string; name?: string } | undefined): FieldErrors {
  const missing = (["kind", "apiVersion", "name"] as const).filter((field) => (reference?.[field] ?? "") === "");
  return missing.length === 0 ? noErrors : missingField(...missing);
}

export function checkProtocol(protocol: string | undefined): FieldErrors {
  if (protocol === undefined || protocol === "") return missingField("protocolType");
  return protocol === "http1" || protocol === "h2c" ? noErrors : invalidValue(protocol, "protocolType");
}

const METRICS: ReadonlyMap<string, string> = new Map([
  [autoscaling.kpaClass, "concurrency"],
  [autoscaling.hpaClass, "cpu"],
]);

export const podAutoscalerWebhook: Webhook<PodAutoscaler> = {
  defaults(object, _old, context) {
    const { annotations = {} } = object.metadata;
    const scaler = annotations[autoscaling.class] ?? context.config.autoscaler.podAutoscalerClass;
    const metric = annotations[autoscaling.metric] ?? METRICS.get(scaler) ?? "";
    const filled = { ...annotations, [autoscaling.class]: scaler, [autoscaling.metric]: metric };
    return { ...object, metadata: { ...object.metadata, annotations: filled } };
  },
  validate(object, _old, context) {
    const { spec, metadata } = object;
    const reference = checkReference(spec.scaleTargetRef).viaField("scaleTargetRef");
    const concurrency = checkContainerConcurrency(spec.containerConcurrency ?? 0, context.config).viaField("containerConcurrency");
    const annotations = checkAutoscalingAnnotations(metadata.annotations, context.config.autoscaler).viaField("metadata", "annotations");
    return reference.also(concurrency, checkProtocol(spec.protocolType)).viaField("spec").also(annotations);
  },
};

export const metricWebhook: Webhook<Metric> = {
  defaults: (object) => object,
  validate: () => noErrors,
};
