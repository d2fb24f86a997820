// What Kubernetes' admission tells its scheduler about pods: a priority, and how long they bear a node that is away.
import { forbidden } from "#core";
import type { Pod, PodSpec, Toleration } from "./v1.types.ts";

/** The classes that every cluster has; there are no others here. */
const PRIORITIES: Readonly<Record<string, number>> = { "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000 };
const TOLERATION_SECONDS = 300;
const NODE_TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Priority and preemption of a new pod. Throws Forbidden for a class that is not there, and for a number of the client's own. */
export function prioritized(spec: PodSpec, told: string): PodSpec {
  const { priorityClassName = "", priority: given } = spec;
  const refuse = (why: string): Error => forbidden({ group: "", resource: "pods" }, told, why);
  const priority = priorityClassName === "" ? 0 : PRIORITIES[priorityClassName];
  if (priority === undefined) throw refuse(`no PriorityClass with name ${priorityClassName} was found`);
  if (given !== undefined && given !== priority) {
    const computed = `priority admission controller computed ${priority} from the given PriorityClass name`;
    throw refuse(`the integer value of priority (${given}) must not be provided in pod spec; ${computed}`);
  }
  return { ...spec, priority, preemptionPolicy: spec.preemptionPolicy ?? "PreemptLowerPriority" };
}

/** There are no RuntimeClass objects here but the platform's own `known`, and what they would add to a pod is theirs to say. Throws Forbidden. */
export function checkRuntimeClass({ runtimeClassName = "", overhead }: PodSpec, told: string, known: readonly string[]): void {
  const refuse = (why: string): Error => forbidden({ group: "", resource: "pods" }, told, `pod rejected: ${why}`);
  if (runtimeClassName !== "" && !known.includes(runtimeClassName)) throw refuse(`RuntimeClass ${JSON.stringify(runtimeClassName)} not found`);
  if (Object.keys(overhead ?? {}).length > 0) throw refuse("Pod Overhead set without corresponding RuntimeClass defined Overhead");
}

const bears = (taint: string, { key = "", effect = "" }: Toleration): boolean => (key === taint || key === "") && (effect === "NoExecute" || effect === "");

/** A pod that says nothing about nodes that are away bears each for five minutes. The same object when it says something. */
export function tolerant(pod: Pod): Pod {
  const present = pod.spec?.tolerations ?? [];
  const missing = NODE_TAINTS.filter((taint) => !present.some((toleration) => bears(taint, toleration)));
  if (missing.length === 0) return pod;
  const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATION_SECONDS }));
  return { ...pod, spec: { ...pod.spec, tolerations: [...present, ...added] } };
}
