// What the data path needs of a Revision.
import { protocolOf, serving, userPortOf, type Revision } from "#kinds";
import type { Backend, LoadBalancing } from "#protocol";

/** Knative's port for programs that name none. */
const DEFAULT_TIMEOUT_SECONDS = 300;
const SERVER_TIMING = "eider.dev/server-timing";
const WAITING_PAGE = "eider.dev/waiting-page";
const LOAD_BALANCING = "eider.dev/load-balancing";
const POLICIES: ReadonlySet<string> = new Set<LoadBalancing>(["round-robin", "first-available", "random-two"]);

export interface RevisionSettings extends Omit<Backend, "pods"> {
  /** Port of the container that serves. */
  readonly containerPort: number;
  /** A successful TCP connection proves a pod ready: no probe asks for more. */
  readonly provenByConnecting: boolean;
}

export function revisionSettings(revision: Revision): RevisionSettings {
  const spec = revision.spec;
  const containers = spec?.containers ?? [];
  return {
    key: `${revision.metadata.namespace ?? ""}/${revision.metadata.name}`,
    protocol: protocolOf(revision),
    containerConcurrency: spec?.containerConcurrency ?? 0,
    timeoutMs: (spec?.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    responseStartTimeoutMs: (spec?.responseStartTimeoutSeconds ?? 0) * 1000,
    idleTimeoutMs: (spec?.idleTimeoutSeconds ?? 0) * 1000,
    ...loadBalancing(revision.metadata.annotations?.[LOAD_BALANCING]),
    serverTiming: revision.metadata.annotations?.[SERVER_TIMING] === "true",
    ...(revision.metadata.annotations?.[WAITING_PAGE] === "true" ? { waitingPage: true } : {}),
    service: revision.metadata.labels?.[serving.service] ?? "",
    configuration: revision.metadata.labels?.[serving.configuration] ?? "",
    containerPort: userPortOf(revision),
    provenByConnecting: containers.every(provenByConnecting),
  };
}

/** Anything else, and nothing, is the default. */
function loadBalancing(asked: string | undefined): { readonly loadBalancing?: LoadBalancing } {
  return asked !== undefined && POLICIES.has(asked) ? { loadBalancing: asked as LoadBalancing } : {};
}

type Container = NonNullable<Revision["spec"]>["containers"][number];

function provenByConnecting(container: Container): boolean {
  const probe = container.readinessProbe;
  if (container.startupProbe !== undefined) return false;
  if (probe === undefined) return true;
  const asksMore = probe.httpGet !== undefined || probe.exec !== undefined || probe.grpc !== undefined;
  return !asksMore && (probe.successThreshold ?? 1) <= 1 && (probe.initialDelaySeconds ?? 0) === 0;
}
