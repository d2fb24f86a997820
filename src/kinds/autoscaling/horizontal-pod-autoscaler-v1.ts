// HorizontalPodAutoscaler of autoscaling/v1, which `kubectl autoscale` 1.32 writes: another view of what is stored as v2.
import { equal, type Column, type Kind, type KubeObject } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import { autoscalerErrors } from "./horizontal-pod-autoscaler-checks.ts";
import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./v1-conversion.ts";
import type { HorizontalPodAutoscaler as V1Object } from "./v1.types.ts";

export type HorizontalPodAutoscalerV1 = V1Object;

/** The same table in both versions. */
const columns: readonly Column[] = HorizontalPodAutoscaler.columns.map((column) => {
  const { cell } = column;
  if (cell === undefined) return column;
  return { ...column, cell: (object, nowMs) => cell(autoscalerFromV1(object as unknown as V1Object) as unknown as KubeObject, nowMs) };
});

function withDefaults(autoscaler: V1Object): V1Object {
  const spec = { ...autoscaler.spec, minReplicas: autoscaler.spec.minReplicas ?? 1 };
  const status = autoscaler.status ?? { currentReplicas: 0, desiredReplicas: 0 };
  return equal(spec, autoscaler.spec) && status === autoscaler.status ? autoscaler : { ...autoscaler, spec, status };
}

export const HorizontalPodAutoscalerV1: Kind<V1Object> = builtin<V1Object>({
  group: "autoscaling",
  version: "v1",
  storageVersion: HorizontalPodAutoscaler.version,
  kind: HorizontalPodAutoscaler.kind,
  plural: HorizontalPodAutoscaler.plural,
  shortNames: HorizontalPodAutoscaler.shortNames,
  categories: HorizontalPodAutoscaler.categories,
  definitions,
  definition: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
  metadataChecks: { update: true, object: false, finalizers: true },
  blank: { spec: { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 }, status: { currentReplicas: 0, desiredReplicas: 0 } },
  columns,
  defaultObject: withDefaults,
  validate: (autoscaler, old, subresource) => autoscalerErrors(asStored(autoscaler), old && asStored(old), subresource),
});

/** As v2, with the defaults that it has. */
function asStored(autoscaler: V1Object): HorizontalPodAutoscaler {
  const converted = autoscalerFromV1(autoscaler);
  return HorizontalPodAutoscaler.defaultObject?.(converted) ?? converted;
}

/** Between stored texts and those of this version. */
export const autoscalerV1Stored = {
  read: (texts: readonly string[]): readonly string[] => texts.map((text) => JSON.stringify(autoscalerToV1(JSON.parse(text) as HorizontalPodAutoscaler))),
  write: (text: string): string => JSON.stringify(asStored(JSON.parse(text) as V1Object)),
} as const;
