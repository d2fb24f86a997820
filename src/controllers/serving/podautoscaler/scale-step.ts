// From what was observed to the inputs of the scale step.
import { durationOf, initialScaleOf, scaleBoundsOf } from "#autoscaler";
import { autoscaling } from "#kinds";
import { conditionOf } from "#schema";
import { probeTargetOf, progressDeadlineOf, type ObservedPodAutoscaler } from "./observed.ts";
import { planScale, type Scaled, type ScaleInputs } from "./scale.ts";

/** Bounds of the scale and the initial scale. */
export function boundsOf({ autoscaler, settings }: ObservedPodAutoscaler): { readonly min: number; readonly max: number; readonly initialScale: number } {
  const { annotations = {} } = autoscaler.metadata;
  const config = settings.autoscaler;
  return { ...scaleBoundsOf({ annotations, config, reachability: autoscaler.spec.reachability ?? "" }), initialScale: initialScaleOf(annotations, config) };
}

/** The inputs of the scale step; the ServerlessService and the decider are there. */
function scaleInputsOf(observed: ObservedPodAutoscaler): ScaleInputs {
  const { autoscaler, settings, resolved, serverlessService, decider, ages } = observed;
  const { annotations = {} } = autoscaler.metadata;
  const config = settings.autoscaler;
  const { initialScale, ...bounds } = boundsOf(observed);
  const active = conditionOf(autoscaler.status?.conditions, "Active");
  const proxied = conditionOf(serverlessService?.status?.conditions, "ActivatorEndpointsPopulated");
  const { reachable, targetBurstCapacity } = resolved.decider;
  const retentionMs = durationOf(annotations, autoscaling.scaleToZeroPodRetentionPeriod) ?? config.scaleToZeroPodRetentionPeriodMs;
  return {
    desired: decider?.desired ?? -1,
    active: active?.status ?? "Unknown",
    activeForMs: ages.active,
    initialized: conditionOf(autoscaler.status?.conditions, "ScaleTargetInitialized")?.status === "True",
    reachable,
    bounds,
    initialScale,
    enableScaleToZero: config.enableScaleToZero,
    stableWindowMs: resolved.metric.stableWindowMs,
    progressDeadlineMs: progressDeadlineOf(autoscaler, settings),
    gracePeriodMs: config.scaleToZeroGracePeriodMs,
    podRetentionMs: reachable ? retentionMs : 0,
    targetBurstCapacity,
    mode: serverlessService?.spec.mode === "Serve" ? "Serve" : "Proxy",
    proxyForMs: proxied?.status === "True" ? ages.proxied : 0,
    probeTarget: probeTargetOf(autoscaler, serverlessService?.status?.serviceName ?? "", settings.clusterDomain),
    activatorAnswers: observed.activatorAnswers,
    replicas: observed.deployment === undefined ? undefined : observed.deployment.replicas,
  };
}

/** The scale step on its own. */
export function scaleOf(observed: ObservedPodAutoscaler): Scaled {
  return planScale(scaleInputsOf(observed));
}
