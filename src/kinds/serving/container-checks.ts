// Checks of one container: what it may set, and whether that makes sense (serving.md §1.6).
import { posix } from "node:path";
import type { FeaturesConfig } from "../config/features.ts";
import {
  disallowedFields,
  eachOf,
  fieldError,
  fieldWarning,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  type FieldErrors,
} from "../knative-field-error.ts";
import { isImageReference } from "../names.ts";
import type { Container, EnvVar, Volume, VolumeMount } from "./container-schema.ts";

const ID_MAX = 2_147_483_647;
const RESERVED_NAME = "queue-proxy";
const RESERVED_ENV = ["PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"];
const RESERVED_PATHS = ["/", "/dev", "/dev/log"];
const RESERVED_PORTS = [8012, 8013, 8022, 9090, 9091, 8008];

/** `serving`: the container that gets the requests. */
type Role = "serving" | "sidecar" | "init";

export interface ContainerContext {
  readonly features: FeaturesConfig;
  readonly role: Role;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Pod-level settings that stand in for a container's. */
  readonly podSecurityContext: Readonly<Record<string, unknown>> | undefined;
}

function checkEnv(variable: EnvVar, context: ContainerContext): FieldErrors {
  const { name, valueFrom } = variable;
  const reserved = context.role === "serving" ? RESERVED_ENV : RESERVED_ENV.slice(1);
  let errors = name === "" ? missingField("name") : noErrors;
  if (reserved.includes(name)) errors = errors.also(fieldError(`${JSON.stringify(name)} is a reserved environment variable`, "name"));
  if (valueFrom === undefined || context.features.podSpecFieldRef !== "Disabled") return errors;
  const refused = (["fieldRef", "resourceFieldRef"] as const).filter((source) => valueFrom[source] !== undefined);
  return refused.length === 0 ? errors : errors.also(disallowedFields(...refused).viaField("valueFrom"));
}

/** Errors carry no index, as in Knative. */
function checkEnvFrom(container: Container): FieldErrors {
  const errors = (container.envFrom ?? []).map((source) => {
    const given = (["configMapRef", "secretRef"] as const).filter((name) => source[name] !== undefined);
    if (given.length === 0) return missingOneOf("configMapRef", "secretRef");
    return given.length === 1 ? noErrors : multipleOneOf("configMapRef", "secretRef");
  });
  return noErrors.also(...errors).viaField("envFrom");
}

function checkImage(image: string | undefined): FieldErrors {
  if (image === undefined || image === "") return missingField("image");
  if (isImageReference(image)) return noErrors;
  return fieldError("Failed to parse image reference", "image", `image: ${JSON.stringify(image)}, error: could not parse reference: ${image}`);
}

/** Ports count over all containers elsewhere; here the one port is looked at. */
export function checkPorts(container: Container): FieldErrors {
  const [port] = container.ports ?? [];
  if (port === undefined || (container.ports?.length ?? 0) > 1) return noErrors;
  const { name = "", protocol, containerPort = 0 } = port;
  let errors = noErrors;
  if (protocol !== "" && protocol !== "TCP") errors = errors.also(invalidValue(protocol, "protocol"));
  if (RESERVED_PORTS.includes(containerPort)) {
    errors = errors.also(
      invalidValue(`${containerPort} is a reserved port`, "containerPort", `${containerPort} is a reserved port, please use a different value`),
    );
  }
  if (containerPort < 0 || containerPort > 65535) errors = errors.also(outOfBounds(containerPort, [0, 65535], "containerPort"));
  if (!["", "h2c", "http1"].includes(name))
    errors = errors.also(fieldError(`Port name ${name} is not allowed`, "", "Name must be empty, or one of: 'h2c', 'http1'"));
  return errors.viaField("ports");
}

function checkId(value: number | undefined, path: string): FieldErrors {
  return value !== undefined && (value < 0 || value > ID_MAX) ? outOfBounds(value, [0, ID_MAX], path) : noErrors;
}

function checkSecurityContext(container: Container, context: ContainerContext): FieldErrors {
  const security = container.securityContext;
  if (security === undefined) return noErrors;
  const { features } = context;
  const add = security.capabilities?.add ?? [];
  const bindOnly = features.securePodDefaults !== "Disabled" && add.length === 1 && add[0] === "NET_BIND_SERVICE";
  let errors = checkId(security.runAsUser, "runAsUser").also(checkId(security.runAsGroup, "runAsGroup"));
  if (security.privileged === true) errors = errors.also(disallowedFields("privileged"));
  if (add.length > 0 && features.containerAddCapabilities === "Disabled" && !bindOnly) errors = errors.also(disallowedFields("capabilities.add"));
  return errors.viaField("securityContext");
}

/** Warnings for settings whose default Kubernetes keeps open. */
export function warnInsecure(container: Container, context: ContainerContext): FieldErrors {
  if (context.features.securePodDefaults !== "Disabled") return noErrors;
  const security = container.securityContext ?? {};
  const pod = context.podSecurityContext ?? {};
  const unset: string[] = [];
  if (security.allowPrivilegeEscalation === undefined) unset.push("allowPrivilegeEscalation");
  if (security.capabilities === undefined) unset.push("capabilities");
  else if (security.capabilities.drop === undefined) unset.push("capabilities.drop");
  if (security.runAsNonRoot === undefined && pod["runAsNonRoot"] === undefined) unset.push("runAsNonRoot");
  if (security.seccompProfile === undefined && pod["seccompProfile"] === undefined) unset.push("seccompProfile");
  else if (security.seccompProfile?.type === "") unset.push("seccompProfile.type");
  const lower = (security.capabilities?.drop ?? []).find((name) => name !== "ALL" && name.toUpperCase() === "ALL");
  const insecure = fieldWarning("Kubernetes default value is insecure, Knative may default this to secure in a future release", unset);
  const spelling = lower === undefined ? noErrors : invalidValue(lower, "capabilities.drop", "Must be spelled as 'ALL'").asWarnings();
  return (unset.length === 0 ? spelling : insecure.also(spelling)).viaField("securityContext");
}

function mayBeWritten(volume: Volume): boolean {
  return volume.emptyDir !== undefined || volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined;
}

function checkMountPath(mountPath: string, seen: Set<string>): FieldErrors {
  const clean = posix.normalize(mountPath).replace(/(?<=.)\/$/, "");
  if (mountPath === "") return missingField("mountPath");
  if (RESERVED_PATHS.includes(clean)) return fieldError(`mountPath ${JSON.stringify(clean)} is a reserved path`, "mountPath");
  if (!mountPath.startsWith("/")) return invalidValue(mountPath, "mountPath");
  if (seen.has(clean)) return invalidValue(`${JSON.stringify(mountPath)} must be unique`, "mountPath");
  seen.add(clean);
  return noErrors;
}

function checkPropagation(mount: VolumeMount, features: FeaturesConfig): FieldErrors {
  const { mountPropagation: mode } = mount;
  if (mode === undefined) return noErrors;
  let errors = noErrors;
  if (features.podSpecMountPropagation === "Disabled") {
    errors = fieldError(`Volume Mount Propagation support is disabled, but found volume mount ${mount.name} with mount propagation`, []);
    errors = errors.also(disallowedFields("mountPropagation"));
  }
  const allowed = mode === "None" || mode === "HostToContainer";
  return allowed ? errors : errors.also(fieldError("mount propagation should be set to None or HostToContainer", "mountPropagation"));
}

function checkMounts(container: Container, context: ContainerContext): FieldErrors {
  const seen = new Set<string>();
  return eachOf(container.volumeMounts, (mount) => {
    const volume = context.volumes.get(mount.name);
    let errors = checkMountPath(mount.mountPath, seen).also(checkPropagation(mount, context.features));
    if (volume === undefined) return errors.also(fieldError("volumeMount has no matching volume", "name"));
    if (!mayBeWritten(volume) && mount.readOnly !== true && hasSource(volume)) {
      errors = errors.also(fieldError("volume mount should be readOnly for this type of volume", "readOnly"));
    }
    const readOnlyClaim = volume.persistentVolumeClaim?.["readOnly"] === true;
    return readOnlyClaim && mount.readOnly !== true ? errors.also(fieldError("volume is readOnly but volume mount is not", "readOnly")) : errors;
  }).viaField("volumeMounts");
}

function hasSource(volume: Volume): boolean {
  return volume.secret !== undefined || volume.configMap !== undefined || volume.projected !== undefined;
}

function checkPolicies(container: Container): FieldErrors {
  const message = container.terminationMessagePolicy ?? "";
  const known = message === "" || message === "File" || message === "FallbackToLogsOnError";
  return known ? noErrors : invalidValue(message, "terminationMessagePolicy");
}

/** Everything that holds for any container of a Revision, probes and ports apart. Errors at the container. */
export function checkContainer(container: Container, context: ContainerContext): FieldErrors {
  if (Object.keys(container).length === 0) return missingField("");
  const reserved = container.name === RESERVED_NAME ? fieldError(`${JSON.stringify(RESERVED_NAME)} is a reserved container name`, "name") : noErrors;
  return reserved.also(
    eachOf(container.env, (variable) => checkEnv(variable, context)).viaField("env"),
    checkEnvFrom(container),
    checkImage(container.image),
    checkSecurityContext(container, context),
    warnInsecure(container, context),
    checkPolicies(container),
    checkMounts(container, context),
  );
}
