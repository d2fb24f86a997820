// Reads what a PodAutoscaler's plan knows: children, Deployment, pods, the decider's word and whether the activator answers.
import { resolveSettings, type RevisionSettings } from "#autoscaler";
import { annotationOf, autoscaling, Deployment, Metric, Pod, PodAutoscaler, ServerlessService, type AutoscalerConfig } from "#kinds";
import type { ShellWorld } from "#reconcile";
import { conditionOf, type ObjectKey } from "#schema";
import { isControlledBy, isLeftover } from "../ownership.ts";
import type { ConditionAges } from "./condition-ages.ts";
import type { DeciderSource } from "./decider-source.ts";
import { probeTargetOf, type ObservedPodAutoscaler, type PodAutoscalerSettings } from "./observed.ts";
import { tallyPods } from "./pod-counts.ts";
import { scaleOf } from "./scale-step.ts";

export interface PodAutoscalerOptions {
  readonly settings: () => PodAutoscalerSettings;
  readonly deciders: DeciderSource;
  /** Whether a GET of `target` is answered by the activator. Where the gateway is always in the path, it always is. */
  readonly probeActivator: (target: string) => Promise<boolean>;
}

interface Observing extends PodAutoscalerOptions {
  readonly ages: ConditionAges;
}

/** Settings of the revision behind the PodAutoscaler. */
function resolvedFor(autoscaler: PodAutoscaler, config: AutoscalerConfig): RevisionSettings {
  const { annotations = {} } = autoscaler.metadata;
  const { containerConcurrency = 0, reachability = "" } = autoscaler.spec;
  return resolveSettings({ annotations, containerConcurrency, reachability, config });
}

function isKpa(autoscaler: PodAutoscaler, { autoscaler: config }: PodAutoscalerSettings): boolean {
  return (annotationOf(autoscaler.metadata.annotations, autoscaling.class) ?? config.podAutoscalerClass) === autoscaling.kpaClass;
}

/** A revision that had been up before this process knew it keeps its replicas until there are data; not one on its way to zero. */
function restoredReplicas({ status }: PodAutoscaler, deployment: Deployment | undefined): number {
  const initialized = conditionOf(status?.conditions, "ScaleTargetInitialized")?.status === "True";
  return initialized && status?.desiredScale !== 0 ? (deployment?.spec?.replicas ?? 0) : 0;
}

/** Undefined also for classes of other autoscalers, which nobody reconciles here. */
export async function observePodAutoscaler(key: ObjectKey, world: ShellWorld, options: Observing): Promise<ObservedPodAutoscaler | undefined> {
  const autoscaler = await world.client.find(PodAutoscaler, key.namespace, key.name);
  const settings = options.settings();
  if (autoscaler === undefined || !isKpa(autoscaler, settings)) return undefined;
  const [foundService, metric, deployment, pods] = await Promise.all([
    world.client.find(ServerlessService, key.namespace, key.name),
    world.client.find(Metric, key.namespace, key.name),
    world.client.find(Deployment, key.namespace, autoscaler.spec.scaleTargetRef.name ?? ""),
    world.watched(Pod),
  ]);
  const tally = tallyPods(pods);
  const resolved = resolvedFor(autoscaler, settings.autoscaler);
  const leftover = [foundService, metric].some((child) => child !== undefined && isLeftover(child, autoscaler));
  const serverlessService = leftover ? undefined : foundService;
  const hasBackends = (serverlessService?.status?.privateServiceName ?? "") !== "";
  const counts = { uid: autoscaler.metadata.uid, ready: tally.ready, restored: restoredReplicas(autoscaler, deployment) };
  const observed: ObservedPodAutoscaler = {
    autoscaler,
    settings,
    resolved,
    serverlessService,
    leftover,
    foreign: {
      serverlessService: serverlessService !== undefined && !isControlledBy(serverlessService, autoscaler),
      metric: metric !== undefined && !isControlledBy(metric, autoscaler),
    },
    deployment: deployment === undefined ? undefined : { replicas: deployment.spec?.replicas ?? null },
    pods: tally,
    decider: hasBackends ? options.deciders.ensure(`${key.namespace}/${key.name}`, resolved, counts) : undefined,
    activatorAnswers: true,
    ages: {
      active: options.ages.ageOf(`${key.namespace}/${key.name}`, conditionOf(autoscaler.status?.conditions, "Active"), world.nowMs),
      proxied: options.ages.ageOf(
        `${key.namespace}/${key.name}`,
        conditionOf(serverlessService?.status?.conditions, "ActivatorEndpointsPopulated"),
        world.nowMs,
      ),
    },
    nowMs: world.nowMs,
  };
  const asks = observed.decider !== undefined && scaleOf(observed).probed;
  const target = probeTargetOf(autoscaler, serverlessService?.status?.serviceName ?? "", settings.clusterDomain);
  return asks ? { ...observed, activatorAnswers: await options.probeActivator(target) } : observed;
}
