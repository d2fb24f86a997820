// Node of the core group: the machine that pods run on.
import type { Column, Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age, NONE } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { Node } from "./v1.types.ts";

export type ClusterNode = Node;

const ROLE_PREFIX = "node-role.kubernetes.io/";
const UNKNOWN = "<unknown>";

function statusText(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function rolesText(node: Node): string {
  const labels = Object.entries(node.metadata.labels ?? {});
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return key.length > ROLE_PREFIX.length ? [key.slice(ROLE_PREFIX.length)] : [];
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return roles.sort().join(",") || NONE;
}

const cell =
  (read: (node: Node) => string): NonNullable<Column["cell"]> =>
  (object) =>
    read(object);
const address = (type: string) => cell((node) => node.status?.addresses?.find((one) => one.type === type)?.address ?? NONE);

const columns: readonly Column[] = [
  { name: "Status", type: "string", description: "The status of the node", cell: cell(statusText) },
  { name: "Roles", type: "string", description: "The roles of the node", cell: cell(rolesText) },
  age,
  { name: "Version", type: "string", cell: cell((node) => node.status?.nodeInfo?.kubeletVersion ?? "") },
  { name: "Internal-IP", type: "string", priority: 1, cell: address("InternalIP") },
  { name: "External-IP", type: "string", priority: 1, cell: address("ExternalIP") },
  { name: "OS-Image", type: "string", priority: 1, cell: cell((node) => node.status?.nodeInfo?.osImage || UNKNOWN) },
  { name: "Kernel-Version", type: "string", priority: 1, cell: cell((node) => node.status?.nodeInfo?.kernelVersion || UNKNOWN) },
  { name: "Container-Runtime", type: "string", priority: 1, cell: cell((node) => node.status?.nodeInfo?.containerRuntimeVersion || UNKNOWN) },
];

export const ClusterNode: Kind<ClusterNode> = builtin<ClusterNode>({
  group: "",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  scope: "Cluster",
  definitions,
  definition: "io.k8s.api.core.v1.Node",
  blank: {
    spec: {},
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: {
        architecture: "",
        bootID: "",
        containerRuntimeVersion: "",
        kernelVersion: "",
        kubeProxyVersion: "",
        kubeletVersion: "",
        machineID: "",
        operatingSystem: "",
        osImage: "",
        systemUUID: "",
      },
    },
  },
  columns,
  selectableFields: { "spec.unschedulable": (object) => String((object as Node).spec?.unschedulable === true) },
});
