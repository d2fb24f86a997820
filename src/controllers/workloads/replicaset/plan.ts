// Decides which pods a ReplicaSet needs, which go, and what its status says.
import { rfc3339 } from "#core";
import { Pod, type ReplicaSet, type ReplicaSetStatus } from "#kinds";
import type { Child, Patch, Plan, PlanEvent, Refusal } from "#reconcile";
import type { Draft } from "#schema";
import { matchesSelector } from "../label-selector.ts";
import { isActive, readySinceMs } from "../pod-state.ts";
import type { ObservedReplicaSet } from "./observe.ts";
import { victims } from "./victims.ts";

/** Pods made or deleted in one pass, as Kubernetes' burst. */
const BURST = 500;

type ReplicaSetCondition = NonNullable<ReplicaSetStatus["conditions"]>[number];

function podFor(replicaSet: ReplicaSet): Draft<Pod> {
  const { metadata, spec } = replicaSet.spec.template ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${replicaSet.metadata.name}-`,
      namespace: replicaSet.metadata.namespace ?? "",
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata?.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
    },
    spec: spec ?? { containers: [] },
  };
}

const kept = (pod: Pod): Child<Pod> => ({ kind: Pod, object: pod, merge: () => undefined });

/** A pod whose labels no longer match is let go, not deleted. */
function release(pod: Pod, replicaSet: ReplicaSet): Patch {
  const ownerReferences = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== replicaSet.metadata.uid);
  const body = { metadata: { uid: pod.metadata.uid, ownerReferences } };
  return { kind: Pod, namespace: pod.metadata.namespace ?? "", name: pod.metadata.name, type: "application/merge-patch+json", body };
}

interface Counts {
  readonly pods: readonly Pod[];
  readonly created: number;
  readonly failure: ReplicaSetCondition | undefined;
}

function statusFor({ replicaSet, nowMs }: ObservedReplicaSet, { pods, created, failure }: Counts): ReplicaSetStatus {
  const minReadyMs = (replicaSet.spec.minReadySeconds ?? 0) * 1000;
  const wanted = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {});
  const labeled = created + pods.filter((pod) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)).length;
  const ready = pods.filter((pod) => readySinceMs(pod) !== undefined).length;
  const available = pods.filter((pod) => (readySinceMs(pod) ?? Number.POSITIVE_INFINITY) + minReadyMs <= nowMs.wall).length;
  const others = (replicaSet.status?.conditions ?? []).filter(({ type }) => type !== "ReplicaFailure");
  const conditions = failure === undefined ? others : [...others, failure];
  return {
    replicas: pods.length + created,
    ...(labeled === 0 ? {} : { fullyLabeledReplicas: labeled }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    ...(replicaSet.metadata.generation === undefined ? {} : { observedGeneration: replicaSet.metadata.generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** The condition stays as it is while status and reason stay, also when the message would name another pod. */
function failureCondition(replicaSet: ReplicaSet, message: string, wallMs: number): ReplicaSetCondition {
  const before = replicaSet.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  if (before?.status === "True" && before.reason === "FailedCreate") return before;
  return { type: "ReplicaFailure", status: "True", lastTransitionTime: rfc3339(wallMs), reason: "FailedCreate", message };
}

/** Monotonic time at which the next ready pod has been ready for long enough. */
function nextAvailableMs({ replicaSet, nowMs }: ObservedReplicaSet, pods: readonly Pod[]): number | undefined {
  const minReadyMs = (replicaSet.spec.minReadySeconds ?? 0) * 1000;
  const due = pods.map((pod) => (readySinceMs(pod) ?? Number.NEGATIVE_INFINITY) + minReadyMs).filter((atMs) => atMs > nowMs.wall);
  return due.length === 0 ? undefined : nowMs.monotonic + Math.min(...due) - nowMs.wall;
}

/** `desired` names all pods that stay, ended ones included: only the pod garbage collector takes those. */
export function planReplicaSet(observed: ObservedReplicaSet): Plan {
  const { replicaSet, nowMs } = observed;
  const deleting = replicaSet.metadata.deletionTimestamp !== undefined;
  const matching = observed.pods.filter((pod) => matchesSelector(replicaSet.spec.selector, pod.metadata.labels));
  const strays = observed.pods.filter((pod) => !matching.includes(pod));
  const active = [...matching.filter(isActive), ...(deleting ? [] : observed.orphans)];
  if (deleting) return { desired: undefined, status: statusFor(observed, { pods: active, created: 0, failure: undefined }) };

  const missing = Math.min((replicaSet.spec.replicas ?? 1) - active.length, BURST);
  const leaving = missing < 0 ? victims(active, Math.min(-missing, BURST)) : [];
  const staying = active.filter((pod) => !leaving.includes(pod));
  const draft: Child<Pod> = {
    kind: Pod,
    object: podFor(replicaSet),
    onCreated: (pod) => ({ type: "Normal", reason: "SuccessfulCreate", message: `Created pod: ${pod.metadata.name}` }),
  };
  const ended = matching.filter((pod) => !isActive(pod));
  const deleted = leaving.map((pod): PlanEvent => ({ type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` }));
  const wakeAtMs = nextAvailableMs(observed, staying);
  const refused = (refusals: readonly Refusal[]): { status: object; events: readonly PlanEvent[] } => {
    const message = refusals[0]?.error.message ?? "";
    const failure = failureCondition(replicaSet, message, nowMs.wall);
    return {
      status: statusFor(observed, { pods: staying, created: 0, failure }),
      events: [{ type: "Warning", reason: "FailedCreate", message: `Error creating: ${message}` }],
    };
  };
  return {
    desired: [
      ...[...staying, ...ended].map(kept),
      ...strays.map((pod): Child<Pod> => ({ ...kept(pod), unowned: true })),
      ...Array.from({ length: Math.max(0, missing) }, () => draft),
    ],
    patches: strays.map((pod) => release(pod, replicaSet)),
    status: statusFor(observed, { pods: staying, created: Math.max(0, missing), failure: undefined }),
    events: deleted,
    afterRefusal: refused,
    ...(wakeAtMs === undefined ? {} : { wakeAtMs }),
  };
}
