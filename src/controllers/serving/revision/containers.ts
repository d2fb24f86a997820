// Containers of a Revision's pods (serving.md §2.5).
//
// Differences from Knative, all because there is no queue-proxy beside the user's containers:
// - there is no container `queue-proxy`, and none of its volumes;
// - HTTP, TCP and gRPC readiness probes stay on the container with the port filled in, and the runtime executes them;
// - there is no `lifecycle.preStop` that waits for queue-proxy to drain: the gateway drains before the pod is stopped.
import { serving, userPortOf, type CoreContainer, type CoreProbe, type EnvVar, type Revision } from "#kinds";
import type { RevisionSettings } from "./settings.ts";

type UserContainer = Revision["spec"]["containers"][number];

function knativeEnv(revision: Revision): EnvVar[] {
  const labels = revision.metadata.labels ?? {};
  const variable = (name: string, value = ""): EnvVar => (value === "" ? { name } : { name, value });
  return [
    variable("K_REVISION", revision.metadata.name),
    variable("K_CONFIGURATION", labels[serving.configuration]),
    variable("K_SERVICE", labels[serving.service]),
  ];
}

/** The probe with `userPort` where no port is given, or everywhere when `force` says so. */
function withPort(probe: CoreProbe, userPort: number, force: boolean): CoreProbe {
  const port = (given: number | string | undefined): number | string => (force || given === undefined || given === 0 || given === "" ? userPort : given);
  if (probe.httpGet !== undefined) return { ...probe, httpGet: { ...probe.httpGet, port: port(probe.httpGet.port) } };
  if (probe.tcpSocket !== undefined) return { ...probe, tcpSocket: { ...probe.tcpSocket, port: port(probe.tcpSocket.port) } };
  return probe;
}

function readinessProbe(probe: CoreProbe, userPort: number): CoreProbe {
  const placed = withPort(probe, userPort, false);
  return placed.grpc === undefined || (placed.grpc.port ?? 0) !== 0 ? placed : { ...placed, grpc: { ...placed.grpc, port: userPort } };
}

const VAR_LOG_ENV: readonly EnvVar[] = [
  { name: "K_INTERNAL_POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  { name: "K_INTERNAL_POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
];

export const VAR_LOG_VOLUME = { name: "knative-var-log", emptyDir: {} };

function withVarLog(container: CoreContainer): CoreContainer {
  const subPathExpr = `$(K_INTERNAL_POD_NAMESPACE)_$(K_INTERNAL_POD_NAME)_${container.name}`;
  const mount = { name: VAR_LOG_VOLUME.name, mountPath: "/var/log", subPathExpr };
  return { ...container, env: [...(container.env ?? []), ...VAR_LOG_ENV], volumeMounts: [...(container.volumeMounts ?? []), mount] };
}

/** One container as it runs; `digest` replaces the tag once it is known. */
function containerFor(revision: Revision, its: { readonly container: UserContainer; readonly digest: string }, settings: RevisionSettings): CoreContainer {
  const { container, digest } = its;
  const isServing = revision.spec.containers.length === 1 || (container.ports ?? []).length > 0;
  const userPort = userPortOf(revision);
  const { readinessProbe: readiness, livenessProbe: liveness, ...rest } = container as unknown as CoreContainer;
  const made: CoreContainer = {
    ...rest,
    ...(digest === "" ? {} : { image: digest }),
    ...(isServing ? { ports: [{ name: "user-port", containerPort: userPort }] } : {}),
    env: [...(rest.env ?? []), ...(isServing ? [{ name: "PORT", value: String(userPort) }] : []), ...knativeEnv(revision)],
    terminationMessagePolicy: rest.terminationMessagePolicy ?? "FallbackToLogsOnError",
    ...(liveness === undefined ? {} : { livenessProbe: isServing ? withPort(liveness, userPort, !settings.multiContainerProbing) : liveness }),
    ...(readiness === undefined ? {} : { readinessProbe: readinessProbe(readiness, userPort) }),
  };
  return settings.collectVarLog ? withVarLog(made) : made;
}

/** The containers of a Revision's pods, in the order of its spec; digests are taken in the same order. */
export function containersFor(revision: Revision, digests: readonly string[], settings: RevisionSettings): CoreContainer[] {
  return revision.spec.containers.map((container, index) => containerFor(revision, { container, digest: digests[index] ?? "" }, settings));
}
