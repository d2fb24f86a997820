// The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure.
import { rfc3339 } from "#core";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "#kinds";
import { fenceposts, sizeOf, wantedOf } from "./rolling.ts";

export interface StatusInput {
  readonly deployment: Deployment;
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
  readonly wallMs: number;
  readonly collisionCount: number;
  /** What has happened to the new ReplicaSet in this pass, as reason and message of Progressing. */
  readonly news: Pick<DeploymentCondition, "status" | "reason" | "message"> | undefined;
  /** False after a mere change of scale and while paused: progress is not judged. */
  readonly judgeProgress: boolean;
}

type Draft = Pick<DeploymentCondition, "type" | "status" | "reason" | "message">;

/** With the same status and reason nothing changes, not even the message; the transition time follows the status. */
function withCondition(conditions: readonly DeploymentCondition[], next: Draft, wallMs: number): DeploymentCondition[] {
  const before = conditions.find(({ type }) => type === next.type);
  if (before?.status === next.status && before.reason === next.reason) return [...conditions];
  const now = rfc3339(wallMs);
  const since = before?.status === next.status ? (before.lastTransitionTime ?? now) : now;
  return [...conditions.filter(({ type }) => type !== next.type), { ...next, lastUpdateTime: now, lastTransitionTime: since }];
}

const without = (conditions: readonly DeploymentCondition[], unwanted: string): DeploymentCondition[] => conditions.filter(({ type }) => type !== unwanted);

/** Undefined: this Deployment has no deadline. Kubernetes takes the largest int32 for none. */
export function deadlineSeconds(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds === undefined || seconds === 2_147_483_647 ? undefined : seconds;
}

interface Counts {
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  readonly unavailable: number;
}

function countsOf({ newSet, oldSets }: StatusInput): Counts {
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const total = (of: (set: ReplicaSet) => number): number => all.reduce((sum, set) => sum + of(set), 0);
  const available = total((set) => set.status?.availableReplicas ?? 0);
  return {
    replicas: total((set) => set.status?.replicas ?? 0),
    updated: newSet?.status?.replicas ?? 0,
    ready: total((set) => set.status?.readyReplicas ?? 0),
    available,
    unavailable: Math.max(0, total(sizeOf) - available),
  };
}

export function isComplete(deployment: Deployment, counts: Pick<Counts, "replicas" | "updated" | "available">): boolean {
  const wanted = wantedOf(deployment);
  return counts.updated === wanted && counts.replicas === wanted && counts.available === wanted;
}

function hasProgressed(old: DeploymentStatus | undefined, now: Counts): boolean {
  const oldUpdated = old?.updatedReplicas ?? 0;
  return (
    now.updated > oldUpdated ||
    now.replicas - now.updated < (old?.replicas ?? 0) - oldUpdated ||
    now.ready > (old?.readyReplicas ?? 0) ||
    now.available > (old?.availableReplicas ?? 0)
  );
}

function isTimedOut(progressing: DeploymentCondition | undefined, seconds: number, wallMs: number): boolean {
  if (progressing === undefined || progressing.reason === "NewReplicaSetAvailable") return false;
  if (progressing.reason === "ProgressDeadlineExceeded") return true;
  return Date.parse(progressing.lastUpdateTime ?? "") + seconds * 1000 < wallMs;
}

function judged(conditions: DeploymentCondition[], counts: Counts, input: StatusInput): DeploymentCondition[] {
  const { deployment, newSet, wallMs } = input;
  const seconds = deadlineSeconds(deployment);
  if (seconds === undefined) return without(conditions, "Progressing");
  const before = deployment.status?.conditions?.find(({ type }) => type === "Progressing");
  if (counts.replicas === counts.updated && before?.reason === "NewReplicaSetAvailable" && input.news === undefined) return conditions;
  const what = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  if (isComplete(deployment, counts)) {
    return withCondition(
      conditions,
      { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message: `${what} has successfully progressed.` },
      wallMs,
    );
  }
  if (hasProgressed(deployment.status, counts)) {
    const now = rfc3339(wallMs);
    const since = before?.status === "True" ? (before.lastTransitionTime ?? now) : now;
    const progress = { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message: `${what} is progressing.` };
    return [...without(conditions, "Progressing"), { ...progress, lastUpdateTime: now, lastTransitionTime: since }];
  }
  if (
    isTimedOut(
      conditions.find(({ type }) => type === "Progressing"),
      seconds,
      wallMs,
    )
  ) {
    return withCondition(
      conditions,
      { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message: `${what} has timed out progressing.` },
      wallMs,
    );
  }
  return conditions;
}

/** Counts of 0 are left out, as Kubernetes does it. */
export function statusFor(input: StatusInput): DeploymentStatus {
  const { deployment, newSet, oldSets, wallMs, news } = input;
  const counts = countsOf(input);
  let conditions = [...(deployment.status?.conditions ?? [])];
  if (news !== undefined) conditions = withCondition(conditions, { type: "Progressing", ...news }, wallMs);
  const available = counts.available >= wantedOf(deployment) - fenceposts(deployment).maxUnavailable;
  const availability = available
    ? { status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." }
    : { status: "False", reason: "MinimumReplicasUnavailable", message: "Deployment does not have minimum availability." };
  conditions = withCondition(conditions, { type: "Available", ...availability }, wallMs);
  if (input.judgeProgress) conditions = judged(conditions, counts, input);
  const failure = [newSet, ...oldSets].flatMap((set) => set?.status?.conditions ?? []).find(({ type }) => type === "ReplicaFailure");
  const { status, reason = "", message = "" } = failure ?? { status: "False" };
  conditions =
    failure === undefined ? without(conditions, "ReplicaFailure") : withCondition(conditions, { type: "ReplicaFailure", status, reason, message }, wallMs);
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...(counts.replicas === 0 ? {} : { replicas: counts.replicas }),
    ...(counts.updated === 0 ? {} : { updatedReplicas: counts.updated }),
    ...(counts.ready === 0 ? {} : { readyReplicas: counts.ready }),
    ...(counts.available === 0 ? {} : { availableReplicas: counts.available }),
    ...(counts.unavailable === 0 ? {} : { unavailableReplicas: counts.unavailable }),
    conditions,
    ...(input.collisionCount === 0 ? {} : { collisionCount: input.collisionCount }),
  };
}
