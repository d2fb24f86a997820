// What Kubernetes fills in on pods and pod templates, in code rather than in its schema.
import { equal } from "#schema";
import type { Container, DownwardAPIProjection, EphemeralContainer, LifecycleHandler, Pod, PodSpec, Probe, Volume } from "./v1.types.ts";

const PROBE = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } as const;
const MODE = 0o644;

function handlerDefaults<T extends LifecycleHandler>(handler: T): T {
  const { httpGet } = handler;
  if (httpGet === undefined) return handler;
  return { ...handler, httpGet: { ...httpGet, path: httpGet.path || "/", scheme: httpGet.scheme || "HTTP" } };
}

function probeDefaults(probe: Probe): Probe {
  const handled = handlerDefaults(probe);
  return {
    ...handled,
    ...(handled.grpc === undefined ? {} : { grpc: { ...handled.grpc, service: handled.grpc.service ?? "" } }),
    timeoutSeconds: probe.timeoutSeconds || PROBE.timeoutSeconds,
    periodSeconds: probe.periodSeconds || PROBE.periodSeconds,
    successThreshold: probe.successThreshold || PROBE.successThreshold,
    failureThreshold: probe.failureThreshold || PROBE.failureThreshold,
  };
}

/** Always for the tag `latest` or none, unless the image is named by its digest. */
function pullPolicy(image: string): string {
  if (image.includes("@")) return "IfNotPresent";
  const tag = image.slice(image.lastIndexOf("/") + 1).split(":")[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function lifecycleDefaults(lifecycle: NonNullable<Container["lifecycle"]>): NonNullable<Container["lifecycle"]> {
  const { postStart, preStop } = lifecycle;
  return {
    ...lifecycle,
    ...(postStart === undefined ? {} : { postStart: handlerDefaults(postStart) }),
    ...(preStop === undefined ? {} : { preStop: handlerDefaults(preStop) }),
  };
}

function containerDefaults(container: Container, hostNetwork: boolean): Container {
  const { ports, livenessProbe, readinessProbe, startupProbe, lifecycle, env } = container;
  return {
    ...container,
    ...(ports === undefined
      ? {}
      : {
          ports: ports.map((port) => ({
            ...port,
            protocol: port.protocol || "TCP",
            ...(hostNetwork && !port.hostPort ? { hostPort: port.containerPort } : {}),
          })),
        }),
    ...(env === undefined ? {} : { env: env.map(envDefaults) }),
    resources: container.resources ?? {},
    ...(livenessProbe === undefined ? {} : { livenessProbe: probeDefaults(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: probeDefaults(readinessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: probeDefaults(startupProbe) }),
    ...(lifecycle === undefined ? {} : { lifecycle: lifecycleDefaults(lifecycle) }),
    terminationMessagePath: container.terminationMessagePath || "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy || "File",
    imagePullPolicy: container.imagePullPolicy || pullPolicy(container.image ?? ""),
  };
}

function envDefaults(env: NonNullable<Container["env"]>[number]): NonNullable<Container["env"]>[number] {
  const fieldRef = env.valueFrom?.fieldRef;
  if (fieldRef === undefined || fieldRef.apiVersion) return env;
  return { ...env, valueFrom: { ...env.valueFrom, fieldRef: { ...fieldRef, apiVersion: "v1" } } };
}

function volumeDefaults(volume: Volume): Volume {
  const { secret, configMap, downwardAPI, projected, hostPath } = volume;
  if (Object.keys(volume).length === 1) return { ...volume, emptyDir: {} };
  return {
    ...volume,
    ...(secret === undefined ? {} : { secret: { ...secret, defaultMode: secret.defaultMode ?? MODE } }),
    ...(configMap === undefined ? {} : { configMap: { ...configMap, defaultMode: configMap.defaultMode ?? MODE } }),
    ...(downwardAPI === undefined ? {} : { downwardAPI: { ...downwardDefaults(downwardAPI), defaultMode: downwardAPI.defaultMode ?? MODE } }),
    ...(hostPath === undefined ? {} : { hostPath: { ...hostPath, type: hostPath.type ?? "" } }),
    ...(projected === undefined
      ? {}
      : { projected: { ...projected, defaultMode: projected.defaultMode ?? MODE, sources: (projected.sources ?? []).map(sourceDefaults) } }),
  };
}

type Source = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];

function sourceDefaults(source: Source): Source {
  const { serviceAccountToken: token, downwardAPI } = source;
  return {
    ...source,
    ...(token === undefined ? {} : { serviceAccountToken: { ...token, expirationSeconds: token.expirationSeconds ?? 3600 } }),
    ...(downwardAPI === undefined ? {} : { downwardAPI: downwardDefaults(downwardAPI) }),
  };
}

/** Fields are named in the form of version v1 of a Pod. */
function downwardDefaults<T extends DownwardAPIProjection>(source: T): T {
  if (source.items === undefined) return source;
  const items = source.items.map((item) =>
    item.fieldRef === undefined ? item : { ...item, fieldRef: { ...item.fieldRef, apiVersion: item.fieldRef.apiVersion || "v1" } },
  );
  return { ...source, items };
}

/** Defaults of the spec of a pod or of a template; the same object when nothing was missing. */
export function podSpecDefaults(spec: PodSpec): PodSpec {
  const hostNetwork = spec.hostNetwork === true;
  const each = (containers: readonly Container[]): Container[] => containers.map((container) => containerDefaults(container, hostNetwork));
  const account = spec.serviceAccountName || spec.serviceAccount;
  const filled: PodSpec = {
    ...spec,
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeDefaults) }),
    ...(spec.initContainers === undefined ? {} : { initContainers: each(spec.initContainers) }),
    ...(spec.ephemeralContainers === undefined ? {} : { ephemeralContainers: each(spec.ephemeralContainers) as EphemeralContainer[] }),
    ...(Array.isArray(spec.containers) ? { containers: each(spec.containers) } : {}),
    restartPolicy: spec.restartPolicy || "Always",
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: spec.dnsPolicy || "ClusterFirst",
    ...(account ? { serviceAccountName: account, serviceAccount: account } : {}),
    securityContext: spec.securityContext ?? {},
    schedulerName: spec.schedulerName || "default-scheduler",
  };
  return equal(spec, filled) ? spec : filled;
}

/** A limit without a request is its request, too. */
function requestDefaults(container: Container): Container {
  const { limits, requests } = container.resources ?? {};
  if (limits === undefined) return container;
  return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
}

/** Defaults of a Pod: its spec's, and those that templates do not get. */
export function podDefaults(pod: Pod): Pod {
  const spec = podSpecDefaults(pod.spec ?? { containers: [] });
  const filled: PodSpec = {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(requestDefaults) }),
    containers: (spec.containers ?? []).map(requestDefaults),
    enableServiceLinks: spec.enableServiceLinks ?? true,
  };
  return equal(pod.spec, filled) ? pod : { ...pod, spec: filled };
}

/** Kubernetes' quality-of-service class, from the containers' cpu and memory. */
export function qosClass(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const resources = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources ?? {});
  const names = ["cpu", "memory"];
  const isSet = (value: string | number | undefined): boolean => value !== undefined && String(value) !== "0";
  if (!resources.some(({ limits, requests }) => names.some((name) => isSet(limits?.[name]) || isSet(requests?.[name])))) return "BestEffort";
  const guaranteed = resources.every(({ limits, requests }) =>
    names.every((name) => isSet(limits?.[name]) && equal(requests?.[name] ?? limits?.[name], limits?.[name])),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
