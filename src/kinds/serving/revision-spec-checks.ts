// Checks of a whole RevisionSpec: which fields are allowed, and how its containers fit together (serving.md §1.5, §1.6).
import type { FeatureName, FeaturesConfig } from "../config/features.ts";
import type { ServingConfig } from "../config/serving-config.ts";
import { disallowedFields, eachOf, fieldError, invalidValue, missingField, noErrors, outOfBounds, type FieldErrors } from "../knative-field-error.ts";
import { subdomainComplaints } from "../names.ts";
import { checkContainer, checkPorts, warnInsecure, type ContainerContext } from "./container-checks.ts";
import type { Container } from "./container-schema.ts";
import { checkProbe, checkReadinessProbe, refuseSidecarProbes } from "./probe-checks.ts";
import type { RevisionSpec } from "./revision-spec.ts";
import { checkVolumes } from "./volume-checks.ts";

/** PodSpec fields that a feature must allow. */
const GATED: Partial<Record<keyof RevisionSpec, FeatureName>> = {
  affinity: "podSpecAffinity",
  topologySpreadConstraints: "podSpecTopologySpreadConstraints",
  hostAliases: "podSpecHostAliases",
  nodeSelector: "podSpecNodeSelector",
  runtimeClassName: "podSpecRuntimeClassName",
  tolerations: "podSpecTolerations",
  shareProcessNamespace: "podSpecShareProcessNamespace",
  hostIPC: "podSpecHostIpc",
  hostPID: "podSpecHostPid",
  hostNetwork: "podSpecHostNetwork",
  priorityClassName: "podSpecPriorityClassName",
  schedulerName: "podSpecSchedulerName",
  dnsPolicy: "podSpecDnsPolicy",
  dnsConfig: "podSpecDnsConfig",
  initContainers: "podSpecInitContainers",
};

const ID_MAX = 2_147_483_647;
const SECURITY_ALLOWED = ["runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "seccompProfile"];

function checkSecurityContext(security: Readonly<Record<string, unknown>> | undefined, features: FeaturesConfig): FieldErrors {
  if (security === undefined) return noErrors;
  const off = features.podSpecSecurityContext === "Disabled";
  const secure = features.securePodDefaults !== "Disabled";
  const allowed = off ? (secure ? ["seccompProfile"] : []) : SECURITY_ALLOWED;
  const refused = Object.keys(security).filter((key) => !allowed.includes(key));
  let errors = off && !secure ? disallowedFields("") : noErrors;
  if (refused.length > 0) errors = errors.also(disallowedFields(...refused));
  for (const key of ["runAsUser", "runAsGroup", "fsGroup"]) {
    const id = security[key];
    if (typeof id === "number" && (id < 0 || id > ID_MAX)) errors = errors.also(outOfBounds(id, [0, ID_MAX], key));
  }
  const groups = security["supplementalGroups"];
  const checked = eachOf(Array.isArray(groups) ? (groups as number[]) : [], (id) => (id < 0 || id > ID_MAX ? outOfBounds(id, [0, ID_MAX], "") : noErrors));
  return errors.also(checked.viaField("supplementalGroups")).viaField("securityContext");
}

function checkAllowedFields(spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  const gated = (Object.keys(GATED) as (keyof RevisionSpec)[]).filter((field) => {
    const feature = GATED[field];
    return spec[field] !== undefined && feature !== undefined && features[feature] === "Disabled";
  });
  const refused: string[] = [...gated];
  if (spec.automountServiceAccountToken === true) refused.push("automountServiceAccountToken");
  return refused.length === 0 ? noErrors : disallowedFields(...refused);
}

/** The container that gets the requests: the only one, or the one with ports. */
export function servingContainerIndex(containers: readonly Container[]): number {
  return containers.length === 1 ? 0 : containers.findIndex((container) => (container.ports ?? []).length > 0);
}

function checkPortCount(containers: readonly Container[]): FieldErrors {
  const count = containers.reduce((sum, container) => sum + (container.ports?.length ?? 0), 0);
  if (count > 1) return fieldError("more than one container port is set", "containers[*].ports", "Only a single port is allowed across all containers");
  return containers.length > 1 && count === 0 ? missingField("containers[*].ports") : noErrors;
}

function checkProbes(container: Container, isServing: boolean, features: FeaturesConfig): FieldErrors {
  if (!isServing && features.multiContainerProbing === "Disabled") return refuseSidecarProbes(container);
  return checkReadinessProbe(container.readinessProbe, container, isServing)
    .viaField("readinessProbe")
    .also(
      checkProbe(container.livenessProbe, container, isServing).viaField("livenessProbe"),
      checkProbe(container.startupProbe, container, isServing).viaField("startupProbe"),
    );
}

function checkContainers(spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  const containers = spec.containers ?? [];
  if (containers.length === 0) return missingField("containers");
  if (containers.length > 1 && features.multiContainer !== "Enabled") {
    return fieldError(`multi-container is off, but found ${containers.length} containers`);
  }
  const names = new Set<string>();
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const each = eachOf(containers, (container) => {
    const isServing = containers.length === 1 || (container.ports ?? []).length > 0;
    const context: ContainerContext = { features, role: isServing ? "serving" : "sidecar", volumes, podSecurityContext: spec.securityContext };
    let errors = checkContainer(container, context).also(checkProbes(container, isServing, features));
    if (isServing) errors = errors.also(checkPorts(container));
    const name = container.name ?? "";
    if (name !== "" && names.has(name)) errors = errors.also(fieldError(`duplicate container name ${JSON.stringify(name)}`, "name"));
    names.add(name);
    return errors;
  });
  return each.viaField("containers").also(checkPortCount(containers));
}

const NO_INIT = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

function checkInitContainers(spec: RevisionSpec, features: FeaturesConfig): FieldErrors {
  const containers = (spec.initContainers ?? []) as (Container & Record<string, unknown>)[];
  if (containers.length === 0) return noErrors;
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const context: ContainerContext = { features, role: "init", volumes, podSecurityContext: spec.securityContext };
  if (features.podSpecInitContainers !== "Enabled") {
    const warnings = eachOf(containers, (container) => warnInsecure(container, context)).viaField("initContainers");
    return fieldError(`pod spec support for init-containers is off, but found ${containers.length} init containers`, []).also(warnings);
  }
  return eachOf(containers, (container) => {
    const refused = NO_INIT.filter((field) => container[field] !== undefined);
    const errors = checkContainer(container, context);
    return refused.length === 0 ? errors : errors.also(fieldError("field not allowed in an init container", refused));
  }).viaField("initContainers");
}

function mountedNames(spec: RevisionSpec): Set<string> {
  const containers = [...(spec.containers ?? []), ...((spec.initContainers ?? []) as Container[])];
  return new Set(containers.flatMap((container) => (container.volumeMounts ?? []).map((mount) => mount.name)));
}

function checkServiceAccount(name: string | undefined): FieldErrors {
  if (name === undefined || name === "") return noErrors;
  const complaints = subdomainComplaints(name);
  return complaints.length === 0 ? noErrors : invalidValue(name, "serviceAccountName", complaints.join("\n"));
}

function checkNumbers(spec: RevisionSpec, config: ServingConfig): FieldErrors {
  const { containerConcurrency: concurrency, timeoutSeconds: timeout } = spec;
  const { maxRevisionTimeoutSeconds: max } = config.defaults;
  const lateOrNegative = timeout !== undefined && (timeout < 0 || timeout > max);
  const errors = lateOrNegative ? outOfBounds(timeout, [0, max], "timeoutSeconds") : noErrors;
  return concurrency === undefined ? errors : errors.also(checkContainerConcurrency(concurrency, config).viaField("containerConcurrency"));
}

/** Bounds of a containerConcurrency; error at the value. */
export function checkContainerConcurrency(concurrency: number, config: ServingConfig): FieldErrors {
  const { allowContainerConcurrencyZero, containerConcurrencyMaxLimit: most } = config.defaults;
  const least = allowContainerConcurrencyZero ? 0 : 1;
  return concurrency < least || concurrency > most ? outOfBounds(concurrency, [least, most], "") : noErrors;
}

/** Errors and warnings at the spec. */
export function checkRevisionSpec(spec: RevisionSpec, config: ServingConfig): FieldErrors {
  const { features } = config;
  return checkAllowedFields(spec, features).also(
    checkSecurityContext(spec.securityContext, features),
    checkContainers(spec, features),
    checkInitContainers(spec, features),
    checkVolumes(spec.volumes, mountedNames(spec), features).viaField("volumes"),
    checkServiceAccount(spec.serviceAccountName),
    checkNumbers(spec, config),
  );
}
