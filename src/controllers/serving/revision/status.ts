// How the children of a Revision show in its conditions (serving.md §2.4).
//
// Deployment        Progressing False or Unknown      ResourcesAvailable the same, with reason and message
//                   ReplicaFailure True               ResourcesAvailable False, with reason and message
//                   Progressing True                  ResourcesAvailable True
// one pod           not schedulable                   ResourcesAvailable False
//                   a container had ended             ContainerHealthy False ExitCode<N>
//                   waiting, PORT ignored             ContainerHealthy False PortIgnored
//                   waiting, deadline exceeded        ResourcesAvailable False with the reason of the wait
// PodAutoscaler     not there yet, no Ready           Active Unknown, ResourcesAvailable Unknown Deploying
//                   initialised                       both True
//                   Ready                             Active the same
//                   Ready False, never initialised    ResourcesAvailable False ProgressDeadlineExceeded
import { revisionConditions as conditions, type Deployment, type Pod, type PodAutoscaler } from "#kinds";
import { conditionOf, type Condition } from "#schema";

export const RESOURCES_AVAILABLE = "ResourcesAvailable";
export const CONTAINER_HEALTHY = "ContainerHealthy";
const ACTIVE = "Active";
/** The runtime's word for a program that listens on another port than the one it was given: it will not get better. */
const PORT_IGNORED = "PortIgnored";
const DEPLOYING = { reason: "Deploying" };

export const isFalse = (marks: readonly Condition[], type: string): boolean => conditionOf(marks, type)?.status === "False";
const isUnavailable = (marks: readonly Condition[]): boolean => isFalse(marks, RESOURCES_AVAILABLE) || isFalse(marks, CONTAINER_HEALTHY);

interface Told {
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const whyOf = ({ reason = "", message = "" }: Told): { reason: string; message: string } => ({ reason, message });

/** What the Deployment's conditions say about its resources. */
function deploymentVerdict(deployment: Deployment): Told {
  let unknown: Told | undefined = DEPLOYING_VERDICT;
  let failed: Told | undefined;
  for (const condition of deployment.status?.conditions ?? []) {
    if (condition.type === "Progressing") {
      unknown = condition.status === "Unknown" ? condition : undefined;
      if (condition.status === "False") failed = condition;
    } else if (condition.type === "ReplicaFailure" && condition.status === "True") {
      failed = { ...condition, status: "False" };
    }
  }
  return failed ?? unknown ?? { status: "True" };
}

const DEPLOYING_VERDICT: Told = { status: "Unknown", reason: "Deploying" };

function hasTimedOut(deployment: Deployment): boolean {
  return (deployment.status?.conditions ?? []).some(
    (told) => told.type === "Progressing" && told.status === "False" && told.reason === "ProgressDeadlineExceeded",
  );
}

/** The first container that tells something decides. */
function markContainers(marks: Condition[], pod: Pod, timedOut: boolean): Condition[] {
  for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
    const ended = lastState?.terminated;
    if (ended !== undefined) {
      const text = ended.exitCode === 0 && (ended.message ?? "") === "" ? "container exited with no error" : (ended.message ?? "");
      return conditions.markFalse(marks, CONTAINER_HEALTHY, { reason: `ExitCode${ended.exitCode}`, message: `Container failed with: ${text}` });
    }
    if (state?.waiting?.reason === PORT_IGNORED) return conditions.markFalse(marks, CONTAINER_HEALTHY, whyOf({ status: "False", ...state.waiting }));
    if (state?.waiting !== undefined && timedOut) return conditions.markFalse(marks, RESOURCES_AVAILABLE, whyOf({ status: "False", ...state.waiting }));
  }
  return marks;
}

export interface DeploymentView {
  readonly deployment: Deployment;
  readonly pod: Pod | undefined;
  readonly podIsAlwaysSchedulable: boolean;
}

export function markDeployment(marks: readonly Condition[], { deployment, pod, podIsAlwaysSchedulable }: DeploymentView): Condition[] {
  const verdict = deploymentVerdict(deployment);
  const isUntold = conditionOf(marks, CONTAINER_HEALTHY)?.reason === undefined && conditionOf(marks, CONTAINER_HEALTHY)?.status === "Unknown";
  const begun = isUntold ? conditions.markUnknown(marks, CONTAINER_HEALTHY, DEPLOYING) : marks;
  let marked =
    verdict.status === "True"
      ? conditions.markTrue(begun, RESOURCES_AVAILABLE)
      : verdict.status === "False"
        ? conditions.markFalse(begun, RESOURCES_AVAILABLE, whyOf(verdict))
        : conditions.markUnknown(begun, RESOURCES_AVAILABLE, whyOf(verdict));
  const isStarved = (deployment.spec.replicas ?? 1) > 0 && (deployment.status?.availableReplicas ?? 0) === 0;
  if (isStarved && pod !== undefined) {
    const unscheduled = (pod.status?.conditions ?? []).find((condition) => condition.type === "PodScheduled" && condition.status === "False");
    if (unscheduled !== undefined && !podIsAlwaysSchedulable) marked = conditions.markFalse(marked, RESOURCES_AVAILABLE, whyOf(unscheduled));
    marked = markContainers(marked, pod, hasTimedOut(deployment));
  }
  return (deployment.status?.readyReplicas ?? 0) > 0 ? conditions.markTrue(marked, CONTAINER_HEALTHY) : marked;
}

/** A Deployment that is about to be created. */
export function markDeploying(marks: readonly Condition[]): Condition[] {
  return conditions.markUnknown(conditions.markUnknown(marks, RESOURCES_AVAILABLE, DEPLOYING), CONTAINER_HEALTHY, DEPLOYING);
}

export function markPodAutoscaler(marks: readonly Condition[], podAutoscaler: PodAutoscaler | undefined): Condition[] {
  const status = podAutoscaler?.status;
  const ready = conditionOf(status?.conditions, "Ready");
  const unavailable = isUnavailable(marks);
  if (ready === undefined) {
    const waiting = conditions.markUnknown(marks, ACTIVE, DEPLOYING);
    return unavailable ? waiting : conditions.markUnknown(waiting, RESOURCES_AVAILABLE, DEPLOYING);
  }
  const isInitialized = conditionOf(status?.conditions, "ScaleTargetInitialized")?.status === "True";
  const hasService = (status?.serviceName ?? "") !== "";
  let marked = [...marks];
  if (isInitialized && !unavailable) marked = conditions.markTrue(conditions.markTrue(marked, RESOURCES_AVAILABLE), CONTAINER_HEALTHY);
  if (conditionOf(marked, RESOURCES_AVAILABLE)?.status === "True" && (!hasService || !isInitialized)) {
    marked = conditions.markUnknown(marked, RESOURCES_AVAILABLE, DEPLOYING);
  }
  if (ready.status === "True") return conditions.markTrue(marked, ACTIVE);
  if (ready.status === "Unknown") return conditions.markUnknown(marked, ACTIVE, whyOf(ready));
  if (!isInitialized && !unavailable && hasService) {
    marked = conditions.markFalse(marked, RESOURCES_AVAILABLE, { reason: "ProgressDeadlineExceeded", message: "Initial scale was never achieved" });
  }
  return conditions.markFalse(marked, ACTIVE, whyOf(ready));
}
