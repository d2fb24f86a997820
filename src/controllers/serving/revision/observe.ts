// What a Revision's plan knows: its children, one of its pods, what is known about its images, and the settings.
import { Deployment, Pod, PodAutoscaler, Revision, serving } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { deploymentNameFor } from "./children.ts";
import type { DigestResolver, Resolution } from "./effects.ts";
import type { RevisionSettings } from "./settings.ts";

export interface ObservedRevision {
  readonly revision: Revision;
  readonly deployment: Deployment | undefined;
  readonly podAutoscaler: PodAutoscaler | undefined;
  /** One pod, looked at only while pods are wanted and none is available. */
  readonly pod: Pod | undefined;
  readonly resolution: Resolution | undefined;
  readonly settings: RevisionSettings;
  readonly nowMs: number;
}

export interface RevisionSources {
  readonly settings: () => RevisionSettings;
  readonly resolver: DigestResolver;
}

async function onePod(revision: Revision, deployment: Deployment | undefined, world: ShellWorld): Promise<Pod | undefined> {
  const isStarved = deployment !== undefined && (deployment.spec.replicas ?? 1) > 0 && (deployment.status?.availableReplicas ?? 0) === 0;
  if (!isStarved) return undefined;
  return (await world.watched(Pod)).find((pod) => pod.metadata.labels?.[serving.revisionUid] === revision.metadata.uid);
}

export async function observeRevision(key: ObjectKey, world: ShellWorld, sources: RevisionSources): Promise<ObservedRevision | undefined> {
  const revision = await world.client.find(Revision, key.namespace, key.name);
  if (revision === undefined) return undefined;
  const [deployment, podAutoscaler] = await Promise.all([
    world.client.find(Deployment, key.namespace, deploymentNameFor(revision)),
    world.client.find(PodAutoscaler, key.namespace, key.name),
  ]);
  return {
    revision,
    deployment,
    podAutoscaler,
    pod: await onePod(revision, deployment, world),
    resolution: sources.resolver.of(key, revision.metadata.uid),
    settings: sources.settings(),
    nowMs: world.nowMs.monotonic,
  };
}
