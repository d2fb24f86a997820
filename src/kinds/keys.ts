// Keys of Knative's labels, annotations and finalizers (serving.md §1.10, §3.2, eventing.md §0.6).

const SERVING = "serving.knative.dev/";
const AUTOSCALING = "autoscaling.knative.dev/";
const NETWORKING = "networking.knative.dev/";
const NETWORKING_INTERNAL = "networking.internal.knative.dev/";
const QUEUE_SIDECAR = "queue.sidecar.serving.knative.dev/";

/** Labels and annotations of serving.knative.dev. */
export const serving = {
  service: `${SERVING}service`,
  serviceUid: `${SERVING}serviceUID`,
  configuration: `${SERVING}configuration`,
  configurationUid: `${SERVING}configurationUID`,
  configurationGeneration: `${SERVING}configurationGeneration`,
  revision: `${SERVING}revision`,
  revisionUid: `${SERVING}revisionUID`,
  route: `${SERVING}route`,
  routeNamespace: `${SERVING}routeNamespace`,
  routes: `${SERVING}routes`,
  routingState: `${SERVING}routingState`,
  routingStateModified: `${SERVING}routingStateModified`,
  creator: `${SERVING}creator`,
  lastModifier: `${SERVING}lastModifier`,
  lastPinned: `${SERVING}lastPinned`,
  noGc: `${SERVING}no-gc`,
  forceUpgrade: `${SERVING}forceUpgrade`,
  deploymentHash: `${SERVING}deployment-hash`,
  progressDeadline: `${SERVING}progress-deadline`,
  rolloutDuration: `${SERVING}rollout-duration`,
  domainMappingUid: `${SERVING}domainMappingUID`,
  domainMappingNamespace: `${SERVING}domainMappingNamespace`,
  /** Finalizer of a Route. */
  routesFinalizer: "routes.serving.knative.dev",
} as const;

/** Annotations of autoscaling.knative.dev, on revision templates. */
export const autoscaling = {
  prefix: AUTOSCALING,
  class: `${AUTOSCALING}class`,
  metric: `${AUTOSCALING}metric`,
  target: `${AUTOSCALING}target`,
  targetUtilizationPercentage: `${AUTOSCALING}target-utilization-percentage`,
  minScale: `${AUTOSCALING}min-scale`,
  maxScale: `${AUTOSCALING}max-scale`,
  initialScale: `${AUTOSCALING}initial-scale`,
  activationScale: `${AUTOSCALING}activation-scale`,
  targetBurstCapacity: `${AUTOSCALING}target-burst-capacity`,
  window: `${AUTOSCALING}window`,
  panicWindowPercentage: `${AUTOSCALING}panic-window-percentage`,
  panicThresholdPercentage: `${AUTOSCALING}panic-threshold-percentage`,
  scaleDownDelay: `${AUTOSCALING}scale-down-delay`,
  scaleToZeroPodRetentionPeriod: `${AUTOSCALING}scale-to-zero-pod-retention-period`,
  metricAggregationAlgorithm: `${AUTOSCALING}metric-aggregation-algorithm`,
  kpaClass: "kpa.autoscaling.knative.dev",
  hpaClass: "hpa.autoscaling.knative.dev",
} as const;

/** Labels and annotations of networking.knative.dev and its internal group. */
export const networking = {
  prefix: NETWORKING,
  ingressClass: `${NETWORKING}ingress.class`,
  certificateClass: `${NETWORKING}certificate.class`,
  certificateType: `${NETWORKING}certificate-type`,
  visibility: `${NETWORKING}visibility`,
  clusterLocal: "cluster-local",
  httpProtocol: `${NETWORKING}http-protocol`,
  disableExternalDomainTls: `${NETWORKING}disable-external-domain-tls`,
  wildcardDomain: `${NETWORKING}wildcardDomain`,
  serverlessService: `${NETWORKING_INTERNAL}serverlessservice`,
  serviceType: `${NETWORKING_INTERNAL}serviceType`,
  rollout: `${NETWORKING_INTERNAL}rollout`,
  tagToHost: `${NETWORKING_INTERNAL}tag-to-host`,
} as const;

/** Annotations of the request path beside a container. */
export const queueSidecar = {
  resourcePercentage: `${QUEUE_SIDECAR}resource-percentage`,
  cpuRequest: `${QUEUE_SIDECAR}cpu-resource-request`,
  cpuLimit: `${QUEUE_SIDECAR}cpu-resource-limit`,
  memoryRequest: `${QUEUE_SIDECAR}memory-resource-request`,
  memoryLimit: `${QUEUE_SIDECAR}memory-resource-limit`,
  ephemeralStorageRequest: `${QUEUE_SIDECAR}ephemeral-storage-resource-request`,
  ephemeralStorageLimit: `${QUEUE_SIDECAR}ephemeral-storage-resource-limit`,
} as const;

const EVENTING = "eventing.knative.dev/";

/** Labels and annotations of Eventing (eventing.md §0.6). */
export const eventing = {
  brokerClass: `${EVENTING}broker.class`,
  /** The class that is served here. */
  mtClass: "MTChannelBasedBroker",
  broker: `${EVENTING}broker`,
  brokerEverything: `${EVENTING}brokerEverything`,
  trigger: `${EVENTING}trigger`,
  scope: `${EVENTING}scope`,
  injection: `${EVENTING}injection`,
  dependency: "knative.dev/dependency",
} as const;

/** Annotations and labels of channels. */
export const messaging = {
  subscribable: "messaging.knative.dev/subscribable",
  asyncHandler: "messaging.knative.dev/async-handler",
  role: "messaging.knative.dev/role",
  channelRole: "in-memory-channel",
  /** Finalizer of a Subscription. */
  subscriptionsFinalizer: "subscriptions.messaging.knative.dev",
} as const;

/** Other spellings of an annotation that Knative accepts; the first one present wins. */
export const ALTERNATIVE_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  [autoscaling.targetUtilizationPercentage]: [`${AUTOSCALING}targetUtilizationPercentage`],
  [autoscaling.minScale]: [`${AUTOSCALING}minScale`],
  [autoscaling.maxScale]: [`${AUTOSCALING}maxScale`],
  [autoscaling.initialScale]: [`${AUTOSCALING}initialScale`],
  [autoscaling.targetBurstCapacity]: [`${AUTOSCALING}targetBurstCapacity`],
  [autoscaling.panicWindowPercentage]: [`${AUTOSCALING}panicWindowPercentage`],
  [autoscaling.panicThresholdPercentage]: [`${AUTOSCALING}panicThresholdPercentage`],
  [autoscaling.scaleDownDelay]: [`${AUTOSCALING}scaleDownDelay`],
  [autoscaling.scaleToZeroPodRetentionPeriod]: [`${AUTOSCALING}scaleToZeroPodRetentionPeriod`],
  [autoscaling.metricAggregationAlgorithm]: [`${AUTOSCALING}metricAggregationAlgorithm`],
  [networking.ingressClass]: [`${NETWORKING}ingress-class`],
  [networking.certificateClass]: [`${NETWORKING}certificate-class`],
  [networking.disableExternalDomainTls]: [`${NETWORKING}disable-auto-tls`, `${NETWORKING}disableAutoTLS`],
  [networking.httpProtocol]: [`${NETWORKING}httpOption`],
  [serving.rolloutDuration]: [`${SERVING}rolloutDuration`],
  [queueSidecar.resourcePercentage]: [`${QUEUE_SIDECAR}resourcePercentage`],
};

/** The annotation under any of its spellings, with the key that was found. */
export function lookUp(annotations: Readonly<Record<string, string>> | undefined, key: string): { readonly key: string; readonly value: string } | undefined {
  for (const spelling of [key, ...(ALTERNATIVE_SPELLINGS[key] ?? [])]) {
    const value = annotations?.[spelling];
    if (value !== undefined) return { key: spelling, value };
  }
  return undefined;
}

/** The value of an annotation under any of its spellings. */
export function annotationOf(annotations: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return lookUp(annotations, key)?.value;
}
