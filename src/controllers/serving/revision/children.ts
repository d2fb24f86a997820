// Children of a Revision: Deployment, PodAutoscaler and Image caches (serving.md §2.4, §2.5).
import { parseDurationMs } from "#core";
import {
  annotationOf,
  autoscaling,
  childName,
  Deployment,
  Image,
  PodAutoscaler,
  serving,
  protocolOf,
  type ContainerStatus,
  type PodSpec,
  type Revision,
  type Volume,
} from "#kinds";
import { apiVersionOf, type Draft, type DraftMeta } from "#schema";
import { containersFor, VAR_LOG_VOLUME } from "./containers.ts";
import { annotationsFor, autoscalerAnnotationsFor, isOurKey, labelsFor, podAnnotationsFor, selectorFor } from "./metadata.ts";
import type { RevisionSettings } from "./settings.ts";
import { without } from "../annotations.ts";

export const deploymentNameFor = (revision: Revision): string => childName(revision.metadata.name, "-deployment");
export const imageNameFor = (revision: Revision, container: string): string => childName(childName(revision.metadata.name, "-cache"), `-${container}`);

function metaFor(revision: Revision, name: string, annotations: Record<string, string>): DraftMeta {
  const { namespace } = revision.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: labelsFor(revision),
    annotations,
  };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  );
}

/** FNV-1a over 32 bits, base 36: changes when anything of the rendered Deployment changes. */
function hashOf(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(sortKeys(value)))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(36);
}

/** The pod of a Revision; `digests` replace the images' tags, in the order of its containers. */
export function podSpecFor(revision: Revision, digests: readonly string[], settings: RevisionSettings): PodSpec {
  const { containerConcurrency: _c, timeoutSeconds, responseStartTimeoutSeconds: _r, idleTimeoutSeconds: _i, ...pod } = revision.spec;
  const spread = {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { [serving.revision]: revision.metadata.name } } },
        },
      ],
    },
  };
  const { enableServiceLinks } = settings;
  const runtimeClassName = pod.runtimeClassName ?? settings.runtimeClassName(revision.metadata.labels ?? {});
  const volumes = [...((pod.volumes ?? []) as unknown as Volume[]), ...(settings.collectVarLog ? [VAR_LOG_VOLUME] : [])];
  return {
    ...(pod as unknown as Omit<PodSpec, "containers">),
    ...(pod.enableServiceLinks === undefined && enableServiceLinks !== undefined ? { enableServiceLinks } : {}),
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(pod.affinity === undefined && settings.spreadOverNodes ? { affinity: spread } : {}),
    ...(timeoutSeconds === undefined ? {} : { terminationGracePeriodSeconds: timeoutSeconds }),
    containers: containersFor(revision, digests, settings),
  };
}

/** The Deployment as this Revision renders it, with the hash by which later changes are noticed. */
export function deploymentFor(revision: Revision, statuses: readonly ContainerStatus[], settings: RevisionSettings): Draft<Deployment> {
  const initialScale = annotationOf(revision.metadata.annotations, autoscaling.initialScale);
  const deadline = annotationOf(revision.metadata.annotations, serving.progressDeadline);
  const deadlineMs = (deadline === undefined ? undefined : parseDurationMs(deadline)) ?? settings.progressDeadlineMs;
  const digests = statuses.map((status) => status.imageDigest ?? "");
  const metadata = metaFor(revision, deploymentNameFor(revision), annotationsFor(revision));
  const spec: Deployment["spec"] = {
    replicas: initialScale === undefined ? settings.initialScale : Number(initialScale),
    selector: selectorFor(revision),
    progressDeadlineSeconds: Math.trunc(deadlineMs / 1000),
    revisionHistoryLimit: 0,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
    template: { metadata: { labels: labelsFor(revision), annotations: podAnnotationsFor(revision) }, spec: podSpecFor(revision, digests, settings) },
  };
  const hash = hashOf({ spec, annotations: metadata.annotations, labels: metadata.labels });
  return {
    apiVersion: apiVersionOf(Deployment),
    kind: Deployment.kind,
    metadata: { ...metadata, labels: { ...metadata.labels, [serving.deploymentHash]: hash } },
    spec,
  };
}

/** Ours replaced, others' kept. */
function mergeKeys(current: Record<string, string> | undefined, wanted: Record<string, string> | undefined): Record<string, string> {
  return { ...without(current, isOurKey), ...wanted };
}

/** Only a change of what we render is written, so that edits by hand survive until then; the scale stays the autoscaler's. */
export function mergeDeployment(current: Deployment, wanted: Draft<Deployment>): Draft<Deployment> | undefined {
  if (current.metadata.labels?.[serving.deploymentHash] === wanted.metadata.labels?.[serving.deploymentHash]) return undefined;
  const template = wanted.spec.template;
  const had = current.spec.template.metadata;
  return {
    ...current,
    metadata: {
      ...current.metadata,
      labels: mergeKeys(current.metadata.labels, wanted.metadata.labels),
      annotations: mergeKeys(current.metadata.annotations, wanted.metadata.annotations),
    },
    spec: {
      ...wanted.spec,
      ...(current.spec.replicas === undefined ? {} : { replicas: current.spec.replicas }),
      selector: current.spec.selector,
      template: {
        ...template,
        metadata: {
          ...template.metadata,
          labels: mergeKeys(had?.labels, template.metadata?.labels),
          annotations: mergeKeys(had?.annotations, template.metadata?.annotations),
        },
      },
    },
  };
}

export type Reachability = "" | "Reachable" | "Unreachable";

/** The PodAutoscaler; its class comes from the settings when the Revision names none. */
export function podAutoscalerFor(revision: Revision, reachability: Reachability, settings: RevisionSettings): Draft<PodAutoscaler> {
  const concurrency = revision.spec.containerConcurrency ?? 0;
  const annotations = { [autoscaling.class]: settings.podAutoscalerClass, ...autoscalerAnnotationsFor(revision) };
  return {
    apiVersion: apiVersionOf(PodAutoscaler),
    kind: PodAutoscaler.kind,
    metadata: metaFor(revision, revision.metadata.name, annotations),
    spec: {
      ...(concurrency === 0 ? {} : { containerConcurrency: concurrency }),
      scaleTargetRef: { apiVersion: apiVersionOf(Deployment), kind: Deployment.kind, name: deploymentNameFor(revision) },
      protocolType: protocolOf(revision),
      ...(reachability === "" ? {} : { reachability }),
    },
  };
}

/** Spec and scaling annotations follow the Revision; class and metric stay as they were defaulted. */
export function mergePodAutoscaler(revision: Revision): (current: PodAutoscaler, wanted: Draft<PodAutoscaler>) => Draft<PodAutoscaler> {
  const isStale = (key: string): boolean => key.startsWith(autoscaling.prefix) && key !== autoscaling.class && key !== autoscaling.metric;
  return (current, wanted) => ({
    ...current,
    metadata: { ...current.metadata, annotations: { ...without(current.metadata.annotations, isStale), ...autoscalerAnnotationsFor(revision) } },
    spec: wanted.spec,
  });
}

/** Asks for an image to be kept at hand; nothing waits for it. */
export function imageFor(revision: Revision, container: ContainerStatus): Draft<Image> {
  const { serviceAccountName = "", imagePullSecrets = [] } = revision.spec;
  return {
    apiVersion: apiVersionOf(Image),
    kind: Image.kind,
    metadata: metaFor(revision, imageNameFor(revision, container.name ?? ""), annotationsFor(revision)),
    spec: {
      image: container.imageDigest ?? "",
      ...(serviceAccountName === "" ? {} : { serviceAccountName }),
      ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
    },
  };
}
