// What Kubernetes refuses in the parts of a pod's spec that are about the pod as a whole: its place, its names, its rights.
import { fieldError, labelErrors, names, type FieldError } from "#schema";
import { ipErrors } from "./addresses.ts";
import type { Container, PodSecurityContext, PodSpec, SecurityContext, Toleration } from "./v1.types.ts";

const ID_MAX = 2_147_483_647;
const ID_RANGE = `must be between 0 and ${ID_MAX}, inclusive`;

function idErrors(field: string, id: number | undefined): FieldError[] {
  return id === undefined || (id >= 0 && id <= ID_MAX) ? [] : [fieldError.invalid(field, id, ID_RANGE)];
}

/** Users and groups of a whole pod. */
function podSecurityErrors(field: string, context: PodSecurityContext | undefined): FieldError[] {
  if (context === undefined) return [];
  const groups = (context.supplementalGroups ?? []).flatMap((group, index) => idErrors(`${field}.supplementalGroups[${index}]`, group));
  return [
    ...idErrors(`${field}.fsGroup`, context.fsGroup),
    ...groups,
    ...idErrors(`${field}.runAsUser`, context.runAsUser),
    ...idErrors(`${field}.runAsGroup`, context.runAsGroup),
  ];
}

/** Users and groups of a container. */
export function securityErrors(field: string, context: SecurityContext | undefined): FieldError[] {
  return [...idErrors(`${field}.runAsUser`, context?.runAsUser), ...idErrors(`${field}.runAsGroup`, context?.runAsGroup)];
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function tolerationErrors(field: string, { key = "", operator = "", value = "", effect = "", tolerationSeconds }: Toleration): FieldError[] {
  const wrong: FieldError[] = key === "" ? [] : names.qualifiedName(key).map((detail) => fieldError.invalid(`${field}.key`, key, detail));
  if (key === "" && operator !== "Exists") {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    if (["", "Equal"].includes(operator)) wrong.push(fieldError.invalid(`${field}.operator`, operator, why));
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    wrong.push(fieldError.invalid(`${field}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === "" || operator === "Equal") {
    wrong.push(...names.labelValue(value).map((detail) => fieldError.invalid(`${field}.operator`, value, detail)));
  } else if (operator === "Exists") {
    if (value !== "") wrong.push(fieldError.invalid(`${field}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else wrong.push(fieldError.notSupported(`${field}.operator`, operator, ["Equal", "Exists"]));
  if (effect !== "" && !EFFECTS.includes(effect)) wrong.push(fieldError.notSupported(`${field}.effect`, effect, EFFECTS));
  return wrong;
}

const SPREADS = ["DoNotSchedule", "ScheduleAnyway"];

function spreadErrors(field: string, constraint: NonNullable<PodSpec["topologySpreadConstraints"]>[number]): FieldError[] {
  const { maxSkew, topologyKey, whenUnsatisfiable } = constraint;
  return [
    ...(maxSkew > 0 ? [] : [fieldError.invalid(`${field}.maxSkew`, maxSkew, "must be greater than zero")]),
    ...((topologyKey ?? "") === "" ? [fieldError.required(`${field}.topologyKey`, "can not be empty")] : []),
    ...(SPREADS.includes(whenUnsatisfiable) ? [] : [fieldError.notSupported(`${field}.whenUnsatisfiable`, whenUnsatisfiable ?? "", SPREADS)]),
  ];
}

function affinityErrors(field: string, affinity: PodSpec["affinity"]): FieldError[] {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined || (required.nodeSelectorTerms ?? []).length > 0) return [];
  const at = `${field}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  return [fieldError.required(at, "must have at least one node selector term")];
}

function labelName(field: string, text: string | undefined): FieldError[] {
  return text === undefined || text === "" ? [] : names.dnsLabel(text).map((detail) => fieldError.invalid(field, text, detail));
}

function deadlineErrors(field: string, seconds: number | undefined): FieldError[] {
  return seconds === undefined || (seconds >= 1 && seconds <= ID_MAX) ? [] : [fieldError.invalid(field, seconds, `must be between 1 and ${ID_MAX}, inclusive`)];
}

/** On the network of the node a container cannot have another port there than its own. */
export function hostPortErrors(field: string, containers: readonly Container[], hostNetwork: boolean): FieldError[] {
  if (!hostNetwork) return [];
  return containers.flatMap(({ ports = [] }, at) =>
    ports.flatMap(({ hostPort, containerPort }, index) =>
      hostPort === containerPort
        ? []
        : [fieldError.invalid(`${field}[${at}].ports[${index}].hostPort`, hostPort ?? 0, "must match `containerPort` when `hostNetwork` is true")],
    ),
  );
}

/** Everything of the spec at `field` that is not about one container or volume. */
export function podWideErrors(field: string, spec: PodSpec): FieldError[] {
  const { nodeName = "", dnsConfig, hostAliases = [], readinessGates = [], tolerations = [], topologySpreadConstraints = [] } = spec;
  return [
    ...labelErrors(`${field}.nodeSelector`, spec.nodeSelector),
    ...podSecurityErrors(`${field}.securityContext`, spec.securityContext),
    ...affinityErrors(`${field}.affinity`, spec.affinity),
    ...(dnsConfig?.nameservers ?? []).flatMap((server, index) => ipErrors(`${field}.dnsConfig.nameservers[${index}]`, server)),
    ...readinessGates.flatMap(({ conditionType }, index) =>
      names.qualifiedName(conditionType ?? "").map((detail) => fieldError.invalid(`${field}.readinessGates[${index}].conditionType`, conditionType, detail)),
    ),
    ...topologySpreadConstraints.flatMap((constraint, index) => spreadErrors(`${field}.topologySpreadConstraints[${index}]`, constraint)),
    ...(nodeName === "" ? [] : names.dnsSubdomain(nodeName).map((detail) => fieldError.invalid(`${field}.nodeName`, nodeName, detail))),
    ...deadlineErrors(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...labelName(`${field}.hostname`, spec.hostname),
    ...labelName(`${field}.subdomain`, spec.subdomain),
    ...tolerations.flatMap((toleration, index) => tolerationErrors(`${field}.tolerations[${index}]`, toleration)),
    ...hostAliases.flatMap(({ ip }, index) => ipErrors(`${field}.hostAliases[${index}].ip`, ip ?? "")),
  ];
}
