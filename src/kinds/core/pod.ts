// Pod of the core group: containers that run together.
import type { Column, Kind, KubeObject } from "#schema";
import { builtin } from "./builtin.ts";
import { age, NONE, orNone } from "./columns.ts";
import { definitions } from "./definitions.ts";
import { podDefaults, qosClass } from "./pod-defaults.ts";
import { restartsText, summarize } from "./pod-status.ts";
import { podErrors } from "./pod-validation.ts";
import { podSpecWarnings } from "./pod-warnings.ts";
import type { Pod as PodObject } from "./v1.types.ts";

export type Pod = PodObject;

const cell =
  (read: (pod: Pod, nowMs: number) => string): NonNullable<Column["cell"]> =>
  (object, nowMs) =>
    read(object as Pod, nowMs);
const field =
  (read: (pod: Pod) => string | undefined) =>
  (object: KubeObject): string =>
    read(object as Pod) ?? "";

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return NONE;
  const holds = gates.filter((gate) => pod.status?.conditions?.some((one) => one.type === gate.conditionType && one.status === "True"));
  return `${holds.length}/${gates.length}`;
}

const columns: readonly Column[] = [
  {
    name: "Ready",
    type: "string",
    description: "The aggregate readiness state of this pod for accepting traffic.",
    cell: cell((pod) => {
      const { ready, total } = summarize(pod);
      return `${ready}/${total}`;
    }),
  },
  { name: "Status", type: "string", description: "The aggregate status of the containers in this pod.", cell: cell((pod) => summarize(pod).status) },
  {
    name: "Restarts",
    type: "string",
    description: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
    cell: cell((pod, nowMs) => restartsText(summarize(pod), nowMs)),
  },
  age,
  { name: "IP", type: "string", priority: 1, cell: cell((pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP)) },
  { name: "Node", type: "string", priority: 1, cell: cell((pod) => orNone(pod.spec.nodeName)) },
  { name: "Nominated Node", type: "string", priority: 1, cell: cell((pod) => orNone(pod.status?.nominatedNodeName)) },
  { name: "Readiness Gates", type: "string", priority: 1, cell: cell(readinessGates) },
];

export const Pod: Kind<Pod> = builtin<Pod>({
  group: "",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.core.v1.Pod",
  statusKeeps: [
    ["metadata", "deletionTimestamp"],
    ["metadata", "ownerReferences"],
  ],
  hasGeneration: true,
  blank: { spec: { containers: null }, status: {} },
  columns,
  selectableFields: {
    "spec.nodeName": field((pod) => pod.spec.nodeName),
    // As very old clients say it.
    "spec.host": field((pod) => pod.spec.nodeName),
    "spec.restartPolicy": field((pod) => pod.spec.restartPolicy),
    "spec.schedulerName": field((pod) => pod.spec.schedulerName),
    "spec.serviceAccountName": field((pod) => pod.spec.serviceAccountName),
    "spec.hostNetwork": field((pod) => String(pod.spec.hostNetwork === true)),
    "status.phase": field((pod) => pod.status?.phase),
    "status.podIP": field((pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
    // Taken by Kubernetes, and compared with nothing.
    "status.podIPs": () => "",
    "status.nominatedNodeName": field((pod) => pod.status?.nominatedNodeName),
  },
  defaultObject(pod) {
    const filled = podDefaults(pod);
    return filled.status?.phase ? filled : { ...filled, status: { ...filled.status, phase: "Pending", qosClass: qosClass(filled.spec) } };
  },
  completed(object) {
    const { phase } = (object as Pod).status ?? {};
    if (phase === "Succeeded") return { reason: "Succeeded", message: "The pod has completed successfully." };
    return phase === "Failed" ? { reason: "Failed", message: "The pod failed." } : undefined;
  },
  validate: podErrors,
  warnings: (pod, old) => (old === undefined ? podSpecWarnings("spec", pod.spec) : []),
});
