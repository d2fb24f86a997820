// What a PodAutoscaler's plan knows.
import { durationOf, type DeciderStatus, type RevisionSettings } from "#autoscaler";
import { serving, type AutoscalerConfig, type PodAutoscaler, type ServerlessService } from "#kinds";
import type { PodTally } from "./pod-counts.ts";

/** The settings in force; read anew in every pass. */
export interface PodAutoscalerSettings {
  readonly autoscaler: AutoscalerConfig;
  /** `progress-deadline` of config-deployment. */
  readonly progressDeadlineMs: number;
  /** Domain of the cluster, e.g. `cluster.local`. */
  readonly clusterDomain: string;
}

export interface ObservedPodAutoscaler {
  readonly autoscaler: PodAutoscaler;
  readonly settings: PodAutoscalerSettings;
  readonly resolved: RevisionSettings;
  readonly serverlessService: ServerlessService | undefined;
  /** Children of a predecessor of the same name are still to be collected; there are none of our own yet. */
  readonly leftover: boolean;
  /** Children of this name that somebody else controls. */
  readonly foreign: { readonly serverlessService: boolean; readonly metric: boolean };
  /** Undefined: there is no Deployment. */
  readonly deployment: { readonly replicas: number | null } | undefined;
  readonly pods: PodTally;
  /** Undefined while the ServerlessService has no private Service. */
  readonly decider: DeciderStatus | undefined;
  readonly activatorAnswers: boolean;
  /** Since the last change of the conditions Active and, of the ServerlessService, ActivatorEndpointsPopulated. */
  readonly ages: { readonly active: number; readonly proxied: number };
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
}

/** Where the activator must answer before the last pod may go; the double slash is Knative's. */
export function probeTargetOf(autoscaler: PodAutoscaler, serviceName: string, clusterDomain: string): string {
  const port = autoscaler.spec.protocolType === "h2c" ? 81 : 80;
  return `http://${serviceName}.${autoscaler.metadata.namespace}.svc.${clusterDomain}:${port}//healthz`;
}

/** How long an activation may take: the annotation, else the configuration. */
export function progressDeadlineOf(autoscaler: PodAutoscaler, settings: PodAutoscalerSettings): number {
  return durationOf(autoscaler.metadata.annotations ?? {}, serving.progressDeadline) ?? settings.progressDeadlineMs;
}
