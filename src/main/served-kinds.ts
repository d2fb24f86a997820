// The kinds that the API serves, each with its admission, its subresources and how it is deleted.
import { served, type ServedKind } from "#apiserver";
import type { Client, InformerSet } from "#client";
import { samplePodFor } from "#controllers";
import { below, rfc3339, type Clock, type Rng } from "#core";
import {
  type AccessAuthority,
  accessReviews,
  ApiServerSource,
  autoscalerV1Stored,
  beginNamespaceDeletion,
  Binding,
  bound,
  Broker,
  Certificate,
  Channel,
  claimAdmission,
  ClusterDomainClaim,
  clusterIpAdmission,
  ClusterNode,
  ConfigMap,
  configMapAdmission,
  Configuration,
  ContainerSource,
  CoreService,
  Deployment,
  Endpoints,
  EndpointSlice,
  Event,
  type EventingConfig,
  EventType,
  evicted,
  Eviction,
  hasEnded,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  Image,
  Ingress,
  InMemoryChannel,
  knativeAdmission,
  type KnativeAdmissionDeps,
  Lease,
  Metric,
  Namespace,
  NodeMetrics,
  olderEventTypes,
  olderSources,
  nodeAdmission,
  namespaceAdmission,
  Parallel,
  PersistentVolume,
  PersistentVolumeClaim,
  PingSource,
  Pod,
  podAdmission,
  type PodAdmissionOptions,
  PodAutoscaler,
  PodMetrics,
  ReplicaSet,
  Revision,
  Route,
  Secret,
  Sequence,
  ServerlessService,
  Service,
  ServiceAccount,
  TokenRequest,
  SinkBinding,
  StorageClass,
  Subscription,
  type ServiceRange,
  type ServingConfig,
  Trigger,
  volumeAdmission,
} from "#kinds";
import type { Draft, Kind, KubeObject } from "#schema";
import type { Subresources } from "./subresources.ts";
import type { UsageObjects } from "./usage.ts";

/** Kubernetes' default for Events. */
const EVENT_TTL_MS = 3_600_000;
/** Between two looks for the ServiceAccount of a new namespace. */
const ACCOUNT_PAUSE_MS = 100;

export interface ServedKindsOptions {
  readonly settings: () => ServingConfig;
  readonly eventingSettings: () => EventingConfig;
  readonly rng: Rng;
  readonly clock: Clock;
  /** Where Services' addresses and ServiceAccounts are looked up. */
  readonly informers: () => InformerSet;
  readonly client: () => Client;
  /** Of Services' addresses. */
  readonly serviceRange?: () => ServiceRange;
  /** The embedded platform has one node: pods are bound to it as they are created; without one a scheduler is another program. */
  readonly nodeName?: string;
  /** What `runtimeClassName` of a pod may say. */
  readonly runtimeClasses?: readonly string[];
  /** Creates a pod as a dry run: for templates, which are tried when they are dry runs themselves. */
  readonly tryPod: (pod: Draft<Pod>) => Promise<unknown>;
  /** Ends what waits. */
  readonly signal: AbortSignal;
  /** Those that need what runs here. */
  readonly subresources: Subresources;
  /** Answers requests for a ServiceAccount's token; without it nobody can ask for one. */
  readonly token?: (account: ServiceAccount, request: TokenRequest) => Promise<TokenRequest>;
  /** Says who may do what. Without it nobody can ask. */
  readonly authority?: AccessAuthority;
  /** Without it there is no group metrics.k8s.io, as on a cluster without a metrics server. */
  readonly usage?: UsageObjects;
}

export function servedKinds(options: ServedKindsOptions): ServedKind[] {
  const { settings, rng, informers } = options;
  const admission: KnativeAdmissionDeps = {
    config: settings,
    eventing: options.eventingSettings,
    refusal: options.authority?.refusal,
    async tryTemplate(template, namespace) {
      await options.tryPod(samplePodFor(template, namespace, settings()));
    },
  };
  const knative = <O extends KubeObject>(kind: Kind<O>): ServedKind => served({ kind, admit: knativeAdmission(kind, admission) });
  const older = (kind: Kind, stored: NonNullable<ServedKind["stored"]>): ServedKind => {
    const warning = kind.deprecationWarning;
    return { ...knative(kind), stored, ...(warning === undefined ? {} : { warning }) };
  };
  const addresses = (): ReturnType<typeof addressBook> => addressBook(informers());
  const accounts: PodAdmissionOptions = {
    ...(options.nodeName === undefined ? {} : { nodeName: options.nodeName }),
    ...(options.runtimeClasses === undefined ? {} : { runtimeClasses: options.runtimeClasses }),
    hasServiceAccount: hasServiceAccount(options),
    pause: () => options.clock.sleep(ACCOUNT_PAUSE_MS, options.signal),
  };
  return [
    served({
      kind: Namespace,
      without: ["deletecollection"],
      returnsDeleted: true,
      // A namespace goes once its controller has emptied it.
      holdsDeletion: (namespace) => (namespace.spec?.finalizers ?? []).length > 0,
      beginDeletion: beginNamespaceDeletion,
      admit: namespaceAdmission,
      parts: { finalize: (current, sent) => ({ ...sent, ...(current.status === undefined ? {} : { status: current.status }) }) },
    }),
    served({
      kind: Pod,
      admit: podAdmission(accounts),
      subresources: options.subresources.pods,
      actions: podActions,
      parts: {
        ephemeralcontainers: withEphemeralContainers,
      },
      partVerbs: { ephemeralcontainers: ["get", "patch", "update"] },
      gracefulDeletion: podGraceSeconds,
      returnsDeleted: true,
    }),
    served({
      kind: CoreService,
      subresources: options.subresources.services,
      returnsDeleted: true,
      admit: clusterIpAdmission({
        below: (limit) => below(rng, limit),
        isTaken: (address) => addresses().has(address),
        isPortTaken: (port) => addresses().hasPort(port),
        ...(options.serviceRange === undefined ? {} : { range: options.serviceRange }),
      }),
    }),
    served({ kind: ConfigMap, admit: configMapAdmission }),
    served({ kind: Event, ttlMs: EVENT_TTL_MS }),
    served({ kind: ServiceAccount, returnsDeleted: true, ...(options.token === undefined ? {} : { actions: { token: tokenAction(options.token) } }) }),
    served({ kind: Lease, urgent: true }),
    served({ kind: Endpoints, warning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice" }),
    served({ kind: ClusterNode, subresources: options.subresources.nodes, admit: nodeAdmission(options.nodeName) }),
    ...[Secret, Deployment, ReplicaSet, EndpointSlice, HorizontalPodAutoscaler].map((kind) => served({ kind: kind as unknown as Kind })),
    served({
      kind: PersistentVolumeClaim,
      returnsDeleted: true,
      admit: claimAdmission({ classes: async () => (await options.client().list(StorageClass)).items }),
    }),
    served({ kind: PersistentVolume, returnsDeleted: true, admit: volumeAdmission(() => rfc3339(options.clock.wallMs())) }),
    served({ kind: StorageClass, returnsDeleted: true }),
    served({ kind: HorizontalPodAutoscalerV1, stored: autoscalerV1Stored }),
    ...(options.authority === undefined ? [] : accessReviews(options.authority).map((review) => served(review))),
    ...(options.usage === undefined ? [] : [served({ kind: PodMetrics, made: options.usage.pods }), served({ kind: NodeMetrics, made: options.usage.nodes })]),
    knative(Service),
    knative(Configuration),
    knative(Revision),
    knative(Route),
    knative(PodAutoscaler),
    knative(Metric),
    knative(Ingress),
    knative(ServerlessService),
    knative(Certificate),
    served({ kind: ClusterDomainClaim }),
    served({ kind: Image }),
    knative(Broker),
    knative(Trigger),
    knative(Channel),
    knative(InMemoryChannel),
    knative(Subscription),
    knative(Sequence),
    knative(Parallel),
    knative(EventType),
    knative(PingSource),
    knative(ApiServerSource),
    knative(ContainerSource),
    knative(SinkBinding),
    ...[...olderEventTypes, ...olderSources].map(({ kind, stored }) => older(kind, stored)),
  ];
}

function addressBook(informers: InformerSet): { has(address: string): boolean; hasPort(port: number): boolean } {
  const services = informers.of(CoreService, "cluster-ip", ({ spec }) => ({
    address: spec?.clusterIP,
    ports: [...(spec?.ports ?? []).map(({ nodePort }) => nodePort), spec?.healthCheckNodePort],
  }));
  return {
    has: (address) => services.list().some((row) => row.address === address),
    hasPort: (port) => services.list().some((row) => row.ports.includes(port)),
  };
}

function hasServiceAccount({ informers, client }: Pick<ServedKindsOptions, "informers" | "client">): PodAdmissionOptions["hasServiceAccount"] {
  // Memory answers first; it lags behind, so that an absence is asked of the store.
  return async (namespace, name) =>
    informers().meta(ServiceAccount).get(namespace, name) !== undefined || (await client().find(ServiceAccount, namespace, name)) !== undefined;
}

/** Seconds that a pod has to end; one that runs nowhere goes at once. */
function podGraceSeconds(pod: Pod, requested: number | undefined): number {
  if ((pod.spec?.nodeName ?? "") === "" || hasEnded(pod)) return 0;
  return requested ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

function withEphemeralContainers(current: Pod, { spec: { ephemeralContainers } }: Pod): Pod {
  const { ephemeralContainers: _, ...spec } = current.spec;
  return { ...current, spec: { ...spec, ...(ephemeralContainers === undefined ? {} : { ephemeralContainers }) } };
}

/** What can be posted to a ServiceAccount. */
function tokenAction(token: NonNullable<ServedKindsOptions["token"]>): NonNullable<ServedKind["actions"]>[string] {
  return {
    kind: TokenRequest as unknown as Kind,
    mayBeNameless: true,
    act: (sent) => ({ answers: (account) => token(account as ServiceAccount, sent as TokenRequest) }),
  };
}

/** What can be posted to a pod. */
const podActions: NonNullable<ServedKind["actions"]> = {
  eviction: {
    kind: Eviction as unknown as Kind,
    olderVersions: ["policy/v1beta1"],
    act: (sent) => ({ deletes: evicted(sent as Eviction) }),
  },
  binding: {
    kind: Binding as unknown as Kind,
    act: (sent) => ({ changes: bound(sent as Binding) as unknown as (pod: KubeObject, now: string) => KubeObject }),
  },
};
