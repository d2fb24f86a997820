// Defaults of a Revision's spec (serving.md §1.5, template/Revision defaulting).
import { containerNameFor, type DefaultsConfig, type NamedObject } from "../config/defaults.ts";
import type { GoTemplate } from "../config/go-template.ts";
import type { ServingConfig } from "../config/serving-config.ts";
import { childName } from "../child-name.ts";
import type { Container, Probe, Volume } from "./container-schema.ts";
import type { RevisionSpec } from "./revision-spec.ts";

const PRIVILEGED_PORT_END = 1024;

function withNames<C extends { name?: string }>(containers: readonly C[], template: GoTemplate, object: NamedObject): C[] {
  const taken = new Set(containers.map((container) => container.name ?? "").filter((name) => name !== ""));
  const base = containerNameFor(template, object);
  const numbered = containers.length > 1 || taken.has(base);
  let next = 0;
  return containers.map((container) => {
    if ((container.name ?? "") !== "") return container;
    let name = base;
    // Several containers are always numbered, a single one only when its name is taken.
    if (numbered)
      do name = childName(base, `-${next++}`);
      while (taken.has(name));
    taken.add(name);
    return { ...container, name };
  });
}

function withResources(container: Container, defaults: DefaultsConfig): Container {
  const { resources = {} } = container;
  const requests = { ...defaults.revisionRequests, ...resources.requests };
  const limits = { ...defaults.revisionLimits, ...resources.limits };
  return {
    ...container,
    resources: {
      ...resources,
      ...(Object.keys(requests).length === 0 ? {} : { requests }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
    },
  };
}

function withGrpcService<P extends Probe | undefined>(probe: P): P {
  return probe?.grpc === undefined ? probe : { ...probe, grpc: { ...probe.grpc, service: probe.grpc.service ?? "" } };
}

function withThresholds(probe: Probe): Probe {
  const { successThreshold = 0, failureThreshold = 0, timeoutSeconds = 0, periodSeconds = 0 } = probe;
  return {
    ...probe,
    successThreshold: successThreshold === 0 ? 1 : successThreshold,
    ...(periodSeconds === 0
      ? {}
      : { failureThreshold: failureThreshold === 0 ? 3 : failureThreshold, timeoutSeconds: timeoutSeconds === 0 ? 1 : timeoutSeconds }),
  };
}

function readinessProbe(probe: Probe | undefined, isServing: boolean): Probe | undefined {
  if (!isServing) return probe === undefined ? undefined : withThresholds(probe);
  const given = probe ?? {};
  const handled = given.tcpSocket ?? given.httpGet ?? given.exec ?? given.grpc;
  return withThresholds(handled === undefined ? { ...given, tcpSocket: { port: 0 } } : given);
}

function withProbes(container: Container, isServing: boolean): Container {
  const readiness = withGrpcService(readinessProbe(container.readinessProbe, isServing));
  const { livenessProbe, startupProbe } = container;
  return {
    ...container,
    ...(readiness === undefined ? {} : { readinessProbe: readiness }),
    ...(livenessProbe === undefined ? {} : { livenessProbe: withGrpcService(livenessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: withGrpcService(startupProbe) }),
  };
}

function withReadOnlyMounts(container: Container, volumes: readonly Volume[]): Container {
  if (container.volumeMounts === undefined) return container;
  const writable = new Set(volumes.filter((v) => v.emptyDir ?? v.persistentVolumeClaim ?? v.ephemeral).map((volume) => volume.name));
  return { ...container, volumeMounts: container.volumeMounts.map((mount) => (writable.has(mount.name) ? mount : { ...mount, readOnly: true })) };
}

/** Only with secure-pod-defaults: what Kubernetes leaves open is closed. */
function withSecurity(container: Container, spec: RevisionSpec, config: ServingConfig): Container {
  const mode = config.features.securePodDefaults;
  if (mode === "Disabled") return container;
  const { securityContext = {} } = container;
  const bindsLow = (container.ports ?? []).some((port) => (port.containerPort ?? 0) !== 0 && (port.containerPort ?? 0) < PRIVILEGED_PORT_END);
  const asRootByPod = spec.securityContext?.["runAsNonRoot"] !== undefined;
  const profileByPod = spec.securityContext?.["seccompProfile"] !== undefined;
  return {
    ...container,
    securityContext: {
      ...securityContext,
      allowPrivilegeEscalation: securityContext.allowPrivilegeEscalation ?? false,
      ...(profileByPod || (securityContext.seccompProfile?.type ?? "") !== ""
        ? {}
        : { seccompProfile: { ...securityContext.seccompProfile, type: "RuntimeDefault" } }),
      capabilities: securityContext.capabilities ?? { drop: ["ALL"], ...(bindsLow ? { add: ["NET_BIND_SERVICE"] } : {}) },
      ...(mode === "Enabled" && !asRootByPod ? { runAsNonRoot: securityContext.runAsNonRoot ?? true } : {}),
    },
  };
}

function timeouts(spec: RevisionSpec, defaults: DefaultsConfig): Partial<RevisionSpec> {
  const timeoutSeconds = (spec.timeoutSeconds ?? 0) === 0 ? defaults.revisionTimeoutSeconds : (spec.timeoutSeconds ?? 0);
  const idle = defaults.revisionIdleTimeoutSeconds;
  const start = defaults.revisionResponseStartTimeoutSeconds;
  return {
    timeoutSeconds,
    ...(spec.idleTimeoutSeconds === undefined && idle !== 0 && idle < timeoutSeconds ? { idleTimeoutSeconds: idle } : {}),
    ...(spec.responseStartTimeoutSeconds === undefined && start !== 0 && start < timeoutSeconds ? { responseStartTimeoutSeconds: start } : {}),
  };
}

export interface DefaultsContext {
  readonly config: ServingConfig;
  readonly isCreate: boolean;
  /** Metadata that container name templates may name. */
  readonly object: NamedObject;
}

/** The spec with all defaults. */
export function revisionSpecDefaults(spec: RevisionSpec, context: DefaultsContext): RevisionSpec {
  const { config, isCreate, object } = context;
  const { defaults } = config;
  const volumes = spec.volumes ?? [];
  // A null list is for the schema to refuse.
  if ((spec.containers as RevisionSpec["containers"] | null) === null) return spec;
  const containers = withNames(spec.containers, defaults.containerNameTemplate, object);
  const links = spec.enableServiceLinks ?? (isCreate ? defaults.enableServiceLinks : undefined);
  return {
    ...spec,
    ...timeouts(spec, defaults),
    containerConcurrency: spec.containerConcurrency ?? defaults.containerConcurrency,
    ...(links === undefined ? {} : { enableServiceLinks: links }),
    containers: containers.map((container) => {
      const isServing = containers.length === 1 || (container.ports ?? []).length > 0;
      const filled = withProbes(withResources(container, defaults), isServing);
      return withSecurity(withReadOnlyMounts(filled, volumes), spec, config);
    }),
    ...(spec.initContainers === undefined ? {} : { initContainers: initContainers(spec, context) }),
  };
}

function initContainers(spec: RevisionSpec, { config, object }: DefaultsContext): Record<string, unknown>[] {
  const named = withNames((spec.initContainers ?? []) as Container[], config.defaults.initContainerNameTemplate, object);
  return named.map((container) => ({ ...withSecurity({ resources: {}, ...container }, spec, config) }));
}
