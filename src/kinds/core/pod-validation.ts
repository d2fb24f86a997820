// What Kubernetes refuses in the spec of a pod or of a pod template.
import { compareQuantities, equal, fieldError, names, parseQuantity, type FieldError } from "#schema";
import { ephemeralErrors } from "./ephemeral-validation.ts";
import { hostPortErrors, podWideErrors, securityErrors } from "./pod-spec-checks.ts";
import { lifecycleErrors, probeErrors } from "./probe-validation.ts";
import { NOT_NEGATIVE, portErrors } from "./ranges.ts";
import type { Container, ContainerPort, Pod, PodSpec } from "./v1.types.ts";
import { envErrors, volumeErrors } from "./volume-validation.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"] as const;
const RESTART_POLICIES = ["Always", "OnFailure", "Never"] as const;
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"] as const;
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [fieldError.notSupported(field, value, allowed)];
}

/** A required name of the form of a DNS label that occurs once in its list. */
function uniqueName(field: string, name: string | undefined, seen: Set<string>): FieldError[] {
  if (name === undefined || name === "") return [fieldError.required(field)];
  const wrong = names.dnsLabel(name).map((detail) => fieldError.invalid(field, name, detail));
  if (wrong.length === 0 && seen.has(name)) return [fieldError.duplicate(field, name)];
  seen.add(name);
  return wrong;
}

function containerPortErrors(field: string, ports: readonly ContainerPort[]): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `${field}[${index}]`;
    const wrong: FieldError[] = [];
    if (port.name !== undefined && port.name !== "") {
      wrong.push(...names.portName(port.name).map((detail) => fieldError.invalid(`${at}.name`, port.name, detail)));
      if (seen.has(port.name)) wrong.push(fieldError.duplicate(`${at}.name`, port.name));
      seen.add(port.name);
    }
    if (!port.containerPort) wrong.push(fieldError.required(`${at}.containerPort`));
    else wrong.push(...portErrors(`${at}.containerPort`, port.containerPort));
    if (port.hostPort) wrong.push(...portErrors(`${at}.hostPort`, port.hostPort));
    return [...wrong, ...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS)];
  });
}

/** Resources that containers have without a domain of somebody else in their name. */
const STANDARD = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function resourceNameErrors(field: string, name: string): FieldError[] {
  if (name.includes("/")) return names.qualifiedName(name).map((detail) => fieldError.invalid(field, name, detail));
  if (STANDARD.test(name)) return [];
  const known = ["must be a standard resource type or fully qualified", "must be a standard resource for containers"];
  return known.map((detail) => fieldError.invalid(field, name, detail));
}

function resourceErrors(field: string, container: Container): FieldError[] {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const negative = (part: string, values: Readonly<Record<string, string | number>>): FieldError[] =>
    Object.entries(values).flatMap(([name, value]) => [
      ...resourceNameErrors(`${field}.${part}[${name}]`, name),
      ...((parseQuantity(value)?.nano ?? 0n) < 0n ? [fieldError.invalid(`${field}.${part}[${name}]`, value, NOT_NEGATIVE)] : []),
    ]);
  const above = Object.entries(requests).flatMap(([name, value]) => {
    const [request, limit] = [parseQuantity(value), parseQuantity(limits[name] ?? value)];
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return [];
    return [fieldError.invalid(`${field}.requests`, value, `must be less than or equal to ${name} limit of ${limits[name] ?? ""}`)];
  });
  return [...negative("limits", limits), ...negative("requests", requests), ...above];
}

function mountErrors(field: string, container: Container, volumes: ReadonlySet<string>): FieldError[] {
  const seen = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${field}[${index}]`;
    const wrong: FieldError[] = [];
    if (!mount.name) wrong.push(fieldError.required(`${at}.name`));
    else if (!volumes.has(mount.name)) wrong.push(fieldError.notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) wrong.push(fieldError.required(`${at}.mountPath`));
    else if (seen.has(mount.mountPath)) wrong.push(fieldError.invalid(`${at}.mountPath`, mount.mountPath, "must be unique"));
    seen.add(mount.mountPath);
    return wrong;
  });
}

function containerErrors(field: string, container: Container, shared: { seen: Set<string>; volumes: ReadonlySet<string> }): FieldError[] {
  const image = container.image ?? "";
  return [
    ...uniqueName(`${field}.name`, container.name, shared.seen),
    ...(image === "" ? [fieldError.required(`${field}.image`)] : []),
    ...(image !== "" && image.trim() !== image ? [fieldError.invalid(`${field}.image`, image, "must not have leading or trailing whitespace")] : []),
    ...containerPortErrors(`${field}.ports`, container.ports ?? []),
    ...envErrors(`${field}.env`, container.env ?? []),
    ...mountErrors(`${field}.volumeMounts`, container, shared.volumes),
    ...oneOf(`${field}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES),
    ...resourceErrors(`${field}.resources`, container),
    ...probeErrors(`${field}.livenessProbe`, "liveness", container.livenessProbe),
    ...probeErrors(`${field}.readinessProbe`, "readiness", container.readinessProbe),
    ...probeErrors(`${field}.startupProbe`, "startup", container.startupProbe),
    ...lifecycleErrors(`${field}.lifecycle`, container.lifecycle),
    ...oneOf(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES),
    ...securityErrors(`${field}.securityContext`, container.securityContext),
  ];
}

const SECONDS_MAX = 0x7fff_ffff;
const between = (least: number): string => `must be between ${least} and ${SECONDS_MAX}, inclusive`;

/** Errors of a spec after defaults, at `field` (`spec` or `spec.template.spec`). */
export function podSpecErrors(field: string, spec: PodSpec): FieldError[] {
  const volumes = volumeErrors(`${field}.volumes`, spec.volumes ?? []);
  const shared = { seen: new Set<string>(), volumes: volumes.usable };
  const containers = spec.containers ?? [];
  const each = (list: string, of: readonly Container[]): FieldError[] =>
    of.flatMap((container, index) => containerErrors(`${field}.${list}[${index}]`, container, shared));
  const account = spec.serviceAccountName ?? "";
  return [
    ...volumes.errors,
    ...(containers.length === 0 ? [fieldError.required(`${field}.containers`)] : each("containers", containers)),
    ...each("initContainers", spec.initContainers ?? []),
    ...hostPortErrors(`${field}.containers`, containers, spec.hostNetwork === true),
    ...oneOf(`${field}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES),
    ...oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...podWideErrors(field, spec),
    ...(account === "" ? [] : names.dnsSubdomain(account).map((detail) => fieldError.invalid(`${field}.serviceAccountName`, account, detail))),
  ];
}

const CHANGEABLE =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
  "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** A spec without what may change; the node is given to a pod once. */
function fixedPart(spec: PodSpec, old: PodSpec): PodSpec {
  const { activeDeadlineSeconds: _, tolerations: __, nodeName, ...rest } = spec;
  const plain = (containers: readonly Container[] | undefined): Container[] => (containers ?? []).map(({ image: ___, ...other }) => ({ ...other }));
  return {
    ...rest,
    ...(old.nodeName && nodeName !== undefined ? { nodeName } : {}),
    containers: plain(spec.containers),
    initContainers: plain(spec.initContainers),
  };
}

/** A deadline may come nearer and never go away. */
function deadlineErrors(now: number | undefined, before: number | undefined): FieldError[] {
  const field = "spec.activeDeadlineSeconds";
  if (now === undefined) return before === undefined ? [] : [fieldError.invalid(field, null, "must not update from a positive integer to nil value")];
  if (now < 0 || now > SECONDS_MAX) return [fieldError.invalid(field, now, between(0))];
  return before !== undefined && before < now ? [fieldError.invalid(field, now, "must be less than or equal to previous value")] : [];
}

/** What is wrong with a change of a pod: containers that come or go end the look, as a bad deadline does; one that is missing does not. */
function changeErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  for (const list of ["containers", "initContainers"] as const) {
    if ((spec[list] ?? []).length !== (old[list] ?? []).length) return [fieldError.forbidden(`spec.${list}`, "pod updates may not add or remove containers")];
  }
  const deadline = deadlineErrors(spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return deadline;
  return equal(fixedPart(spec, old), fixedPart(old, old)) ? deadline : [...deadline, fieldError.forbidden("spec", CHANGEABLE)];
}

/** Errors of a Pod; with `old` also of the change. */
export function podErrors(pod: Pod, old: Pod | undefined, subresource = ""): FieldError[] {
  const wrong = [...podSpecErrors("spec", pod.spec), ...ephemeralErrors("spec.ephemeralContainers", pod.spec, old?.spec)];
  if (subresource === "ephemeralcontainers") return wrong;
  return old === undefined ? wrong : [...wrong, ...changeErrors(pod.spec, old.spec)];
}
