// Revision → digests, then Deployment, Image caches and PodAutoscaler; its status is what they say (serving.md §2.4).
//
// images                                   conditions                                    next
// resolution not done                      ResourcesAvailable Unknown ResolvingDigests   wait, at most a second
// resolution failed                        and ContainerHealthy False ContainerMissing   again after a while
// all digests known, or tags used as such  what the children say (status.ts)             children
import { Deployment, Image, PodAutoscaler, revisionConditions as conditions, serving, type ContainerStatus } from "#kinds";
import type { Child, Plan, PlanEvent, Refusal } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import { isControlledBy, notOwnedMessage } from "../ownership.ts";
import { beginConditions, isReady } from "../status.ts";
import { deploymentFor, deploymentNameFor, imageFor, mergeDeployment, mergePodAutoscaler, podAutoscalerFor, type Reachability } from "./children.ts";
import type { ResolveDigests } from "./effects.ts";
import { parseImage } from "./image-reference.ts";
import type { ObservedRevision } from "./observe.ts";
import { CONTAINER_HEALTHY, isFalse, markDeploying, markDeployment, markPodAutoscaler, RESOURCES_AVAILABLE } from "./status.ts";

/** How long a resolution is waited for before it is looked at again, should its wake-up get lost. */
const LOOK_AGAIN_MS = 1000;

interface Digests {
  readonly containers: readonly ContainerStatus[];
  readonly initContainers: readonly ContainerStatus[];
}

interface Named {
  readonly name: string;
  readonly image: string;
}

const namedContainers = (list: readonly object[]): Named[] => (list as readonly Partial<Named>[]).map(({ name = "", image = "" }) => ({ name, image }));

/** The reference to deploy, "" for a tag that is used as it is, undefined while it is not known. */
function digestOf(image: string, { settings, resolution }: ObservedRevision): string | undefined {
  const { registry, hasDigest } = parseImage(image);
  if (hasDigest) return image;
  if (settings.registriesSkippingTagResolving.has(registry)) return "";
  return resolution?.state === "resolved" ? resolution.digests[image] : undefined;
}

function digestsOf(observed: ObservedRevision): Digests | undefined {
  const { spec, status } = observed.revision;
  const containers = namedContainers(spec.containers);
  const initContainers = namedContainers(spec.initContainers ?? []);
  const stored = { containers: status?.containerStatuses ?? [], initContainers: status?.initContainerStatuses ?? [] };
  if (stored.containers.length === containers.length && stored.initContainers.length === initContainers.length) return stored;
  const known = [...containers, ...initContainers].map(({ image }) => digestOf(image, observed));
  if (known.includes(undefined)) return undefined;
  const entry = ({ name, image }: Named): ContainerStatus => {
    const imageDigest = digestOf(image, observed) ?? "";
    return { name, ...(imageDigest === "" ? {} : { imageDigest }) };
  };
  return { containers: containers.map(entry), initContainers: initContainers.map(entry) };
}

interface Draw {
  readonly marks: readonly Condition[];
  readonly digests?: Digests;
}

function statusOf({ revision, podAutoscaler, settings }: ObservedRevision, { marks, digests }: Draw): object {
  const { actualReplicas: _a, desiredReplicas: _d, logUrl: _l, conditions: _c, ...rest } = revision.status ?? {};
  const { actualScale = -1, desiredScale = -1 } = podAutoscaler?.status ?? {};
  const logUrl = settings.revisionUrlTemplate.replaceAll("${REVISION_UID}", revision.metadata.uid);
  return {
    ...rest,
    ...(digests === undefined || digests.containers.length === 0 ? {} : { containerStatuses: digests.containers }),
    ...(digests === undefined || digests.initContainers.length === 0 ? {} : { initContainerStatuses: digests.initContainers }),
    ...(actualScale >= 0 ? { actualReplicas: actualScale } : {}),
    ...(desiredScale >= 0 ? { desiredReplicas: desiredScale } : {}),
    ...(logUrl === "" ? {} : { logUrl }),
    observedGeneration: revision.metadata.generation,
    conditions: conditions.sorted(marks),
  };
}

/** Nothing is deployed before every image is known. */
function planResolution(observed: ObservedRevision, marks: readonly Condition[]): Plan<ResolveDigests> {
  const { revision, resolution, settings, nowMs } = observed;
  const { name, namespace = "", uid } = revision.metadata;
  const images = namedContainers([...revision.spec.containers, ...(revision.spec.initContainers ?? [])])
    .map(({ image }) => image)
    .filter((image) => digestOf(image, { ...observed, resolution: undefined }) === undefined);
  const { serviceAccountName = "", imagePullSecrets = [] } = revision.spec;
  const access = { serviceAccountName, imagePullSecrets: imagePullSecrets.flatMap((secret) => secret.name ?? []) };
  const resolve: ResolveDigests = { do: "resolveDigests", key: { namespace, name }, uid, images, access, timeoutMs: settings.digestResolutionTimeoutMs };
  const waiting = conditions.markUnknown(marks, RESOURCES_AVAILABLE, { reason: "ResolvingDigests" });
  if (resolution?.state !== "failed") {
    const effects = resolution === undefined ? [resolve] : [];
    return { desired: undefined, status: statusOf(observed, { marks: waiting }), effects, wakeAtMs: nowMs + LOOK_AGAIN_MS };
  }
  const { message, retryAtMs } = resolution;
  const failed = conditions.markFalse(waiting, CONTAINER_HEALTHY, { reason: "ContainerMissing", message });
  const isNews = conditionOf(revision.status?.conditions, CONTAINER_HEALTHY)?.message !== message;
  return {
    desired: undefined,
    status: statusOf(observed, { marks: failed }),
    effects: nowMs >= retryAtMs ? [resolve] : [],
    events: isNews ? [{ type: "Warning", reason: "InternalError", message }] : [],
    wakeAtMs: Math.max(retryAtMs, nowMs + LOOK_AGAIN_MS),
  };
}

function reachabilityOf({ revision, deployment, podAutoscaler }: ObservedRevision, marks: readonly Condition[]): Reachability {
  const isBroken = isFalse(marks, RESOURCES_AVAILABLE) || isFalse(marks, CONTAINER_HEALTHY);
  // A status that is older than the scale says nothing about it; without this, giving up at 0 and a lower bound would chase each other.
  const isStale = deployment !== undefined && (deployment.status?.observedGeneration ?? 0) < (deployment.metadata.generation ?? 0);
  if (isBroken && isStale && podAutoscaler?.spec.reachability === "Unreachable") return "Unreachable";
  if (isBroken && deployment !== undefined && (deployment.spec.replicas ?? 1) > 0 && (deployment.status?.readyReplicas ?? 0) === 0) return "Unreachable";
  const state = revision.metadata.labels?.[serving.routingState];
  return state === "active" ? "Reachable" : state === "reserve" ? "Unreachable" : "";
}

/** Another's Deployment or PodAutoscaler under our name: nothing is touched. */
function planForeign(observed: ObservedRevision, draw: Draw, its: { readonly kind: string; readonly name: string }): Plan<ResolveDigests> {
  const marks = conditions.markFalse(draw.marks, RESOURCES_AVAILABLE, { reason: "NotOwned", message: notOwnedMessage(its.kind, its.name) });
  const failure = `revision: "${observed.revision.metadata.name}" does not own ${its.kind}: "${its.name}"`;
  return { desired: undefined, status: statusOf(observed, { ...draw, marks }), failure };
}

const PHRASES: Readonly<Record<string, string>> = { Deployment: "deployment", PodAutoscaler: "PA", Image: "image cache" };

/** What Knative says when a child cannot be made. */
function refusalEvent({ child, error }: Refusal, exists: boolean): PlanEvent {
  const what = `${exists ? "update" : "create"} ${PHRASES[child.kind.kind] ?? child.kind.kind}`;
  return { type: "Warning", reason: "InternalError", message: `failed to ${what} "${child.object.metadata.name ?? ""}": ${error.message}` };
}

function childrenFor(observed: ObservedRevision, draw: Required<Draw>): Child[] {
  const { revision, settings } = observed;
  const { containers, initContainers } = draw.digests;
  const deployment: Child<Deployment> = { kind: Deployment, object: deploymentFor(revision, containers, settings), merge: mergeDeployment };
  const images = [...containers, ...initContainers].map((container): Child<Image> => ({
    kind: Image,
    object: imageFor(revision, container),
    merge: () => undefined,
  }));
  const wanted = podAutoscalerFor(revision, reachabilityOf(observed, draw.marks), settings);
  const podAutoscaler: Child<PodAutoscaler> = { kind: PodAutoscaler, object: wanted, merge: mergePodAutoscaler(revision) };
  return [deployment, ...images, podAutoscaler] as unknown as Child[];
}

export function planRevision(observed: ObservedRevision): Plan<ResolveDigests> {
  const { revision, deployment, podAutoscaler, pod, settings } = observed;
  if (revision.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = beginConditions(conditions, revision);
  const digests = digestsOf(observed);
  if (digests === undefined) return planResolution(observed, begun);
  if (deployment !== undefined && !isControlledBy(deployment, revision)) {
    return planForeign(observed, { marks: begun, digests }, { kind: Deployment.kind, name: deploymentNameFor(revision) });
  }
  const deployed =
    deployment === undefined ? markDeploying(begun) : markDeployment(begun, { deployment, pod, podIsAlwaysSchedulable: settings.podIsAlwaysSchedulable });
  if (podAutoscaler !== undefined && !isControlledBy(podAutoscaler, revision)) {
    return planForeign(observed, { marks: deployed, digests }, { kind: PodAutoscaler.kind, name: revision.metadata.name });
  }
  const draw = { marks: markPodAutoscaler(deployed, podAutoscaler), digests };
  const becameReady = !isReady(revision) && conditions.isHappy(draw.marks);
  return {
    desired: childrenFor(observed, draw),
    status: statusOf(observed, draw),
    events: becameReady ? [{ type: "Normal", reason: "RevisionReady", message: "Revision becomes ready upon all resources being ready" }] : [],
    afterRefusal: (refusals) => ({
      status: statusOf(observed, { marks: deployed, digests }),
      events: refusals.map((refusal) => refusalEvent(refusal, refusal.child.kind.kind === Deployment.kind && deployment !== undefined)),
    }),
  };
}
