// Node of the core group: the machine that pods run on.
import { equal, fieldError, names, type Admit, type Column, type FieldError, type Kind } from "#schema";
import { isNetwork, networkErrors } from "./addresses.ts";
import { builtin } from "./builtin.ts";
import { age, NONE } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { Node, Taint } from "./v1.types.ts";

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

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function taintErrors(taints: readonly Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap(({ key, value = "", effect, timeAdded = null }, index) => {
    // Kubernetes looks for them elsewhere than they are.
    const at = `metadata.taints[${index}]`;
    const wrong = names.qualifiedName(key).map((detail) => fieldError.invalid(`${at}.key`, key, detail));
    wrong.push(...names.labelValue(value).map((detail) => fieldError.invalid(`${at}.value`, value, detail)));
    if (!EFFECTS.includes(effect)) wrong.push(fieldError.notSupported(`${at}.effect`, effect, EFFECTS));
    if (seen.has(`${key}:${effect}`)) {
      const duplicate = fieldError.duplicate(at, { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded });
      wrong.push({ ...duplicate, message: `${duplicate.message}: taints must be unique by key and effect pair` });
    }
    seen.add(`${key}:${effect}`);
    return wrong;
  });
}

function nodeErrors({ spec = {} }: Node, old: Node | undefined): FieldError[] {
  const { podCIDRs = [] } = spec;
  const wrong = taintErrors(spec.taints ?? []);
  // An update is looked at twice, like its metadata.
  if (old !== undefined) wrong.push(...wrong);
  wrong.push(...podCIDRs.flatMap((network, index) => networkErrors(`spec.podCIDRs[${index}]`, network)));
  const families = new Set(podCIDRs.map((network) => network.includes(":")));
  if (podCIDRs.length > families.size && podCIDRs.every(isNetwork)) {
    wrong.push(fieldError.invalid("spec.podCIDRs", podCIDRs, "may specify no more than one CIDR for each IP family"));
  }
  const { podCIDRs: before = [], providerID = "" } = old?.spec ?? {};
  if (before.length > 0 && !equal(before, podCIDRs)) {
    wrong.push(fieldError.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if (providerID !== "" && providerID !== spec.providerID) {
    wrong.push(fieldError.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  return wrong;
}

/** One network of pods is the first of several, and what a node has is all for pods until somebody keeps some back. */
function nodeDefaults(node: Node): Node {
  const { spec, status } = node;
  const networks = (spec?.podCIDR ?? "") !== "" && spec?.podCIDRs?.[0] !== spec?.podCIDR ? [spec?.podCIDR ?? ""] : spec?.podCIDRs;
  const allocatable = status?.allocatable ?? status?.capacity;
  const same = networks === spec?.podCIDRs && allocatable === status?.allocatable;
  if (same) return node;
  return {
    ...node,
    ...(networks === undefined ? {} : { spec: { ...spec, podCIDRs: networks } }),
    ...(status === undefined ? {} : { status: { ...status, ...(allocatable === undefined ? {} : { allocatable }) } }),
  };
}

const NOT_READY: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** A new node takes no pods until it is seen to be ready; `own` is ready from its start. */
export function nodeAdmission(own: string | undefined): Admit<Node> {
  return ({ operation, object }) => {
    if (operation !== "CREATE" || object.metadata.name === own) return { object, warnings: [] };
    const taints = object.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return { object, warnings: [] };
    return { object: { ...object, spec: { ...object.spec, taints: [...taints, NOT_READY] } }, warnings: [] };
  };
}

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
  statusAtCreation: true,
  defaultObject: nodeDefaults,
  validate: nodeErrors,
  selectableFields: { "spec.unschedulable": (object) => String((object as Node).spec?.unschedulable === true) },
});
