// controllers: one folder per reconciled kind; each is a pure plan with what it observes.
export {
  markScale,
  minReadyOf,
  numActivatorsFor,
  planPodAutoscaler,
  podAutoscalerController,
  scaleOf,
  wallAgeOf,
  type DeciderSource,
  type ObservedPodAutoscaler,
  type PodAutoscalerOptions,
  type PodAutoscalerSettings,
  type Scaled,
} from "./serving/podautoscaler/index.ts";
export { BROKER_INGRESS, brokerController, type BrokerControllerDeps } from "./eventing/broker/index.ts";
export { containerSourceController } from "./eventing/containersource/index.ts";
export { apiServerSourceController, ApiWatches, type MayAccount, type SendChange, type ToldMark } from "./eventing/apiserversource/index.ts";
export { pingSourceController, type PingSourceControllerDeps } from "./eventing/pingsource/index.ts";
export { sinkBindingController } from "./eventing/sinkbinding/index.ts";
export { channelController } from "./eventing/channel/index.ts";
export { eventTypeController, SeenEvents, type SeenEvent } from "./eventing/eventtype/index.ts";
export { CHANNEL_DISPATCHER, inMemoryChannelController, type InMemoryChannelControllerDeps } from "./eventing/inmemorychannel/index.ts";
export { parallelController } from "./eventing/parallel/index.ts";
export { sequenceController } from "./eventing/sequence/index.ts";
export { sourceTypesController } from "./eventing/sourcetypes/index.ts";
export { namespaceSugarController, triggerSugarController } from "./eventing/sugar/index.ts";
export { subscriptionController } from "./eventing/subscription/index.ts";
export { triggerController, type TriggerControllerDeps } from "./eventing/trigger/index.ts";
export { horizontalPodAutoscalerController, type HorizontalPodAutoscalerOptions } from "./autoscaling/horizontalpodautoscaler/index.ts";
export { hpaClassController } from "./serving/podautoscaler/hpa/index.ts";
export { configurationController } from "./serving/configuration/index.ts";
export { ingressController, PRIVATE_GATEWAY, PUBLIC_GATEWAY, type IngressControllerDeps, type IngressStanding } from "./serving/ingress/index.ts";
export { labelerController } from "./serving/labeler/index.ts";
export { revisionController, samplePodFor, type ResolveDigest, type ResolvedDigest, type RevisionControllerDeps } from "./serving/revision/index.ts";
export { routeController, type RouteControllerDeps } from "./serving/route/index.ts";
export {
  isDone,
  isValid,
  nextStepOf,
  observeReady,
  parseRollout,
  planRollout,
  rolloutSecondsOf,
  rolloutText,
  stepRollout,
  type Rollout,
} from "./serving/route/rollout.ts";
export { followDefinitions, type Definitions, type DefinitionsOptions } from "./apiextensions/index.ts";
export { followEventingSettings, followSettings, type EventingSettings, type Settings } from "./settings.ts";
export { serviceController } from "./serving/service/index.ts";
export { deploymentController } from "./workloads/deployment/index.ts";
export { endpointsController } from "./workloads/endpoints/index.ts";
export { endpointSliceController, endpointSliceMirroringController } from "./workloads/endpointslice/index.ts";
export { createGarbageCollector, type GarbageCollectorOptions } from "./workloads/garbage-collector/index.ts";
export { namespaceController, type NamespaceControllerOptions } from "./workloads/namespace/index.ts";
export { replicaSetController } from "./workloads/replicaset/index.ts";
export { serviceAccountController } from "./workloads/serviceaccount/index.ts";
export { persistentVolumeController } from "./storage/persistentvolume/index.ts";
export { persistentVolumeClaimController } from "./storage/persistentvolumeclaim/index.ts";
export { standardClass, type ClaimFolders } from "./storage/provisioner.ts";
export { metricController } from "./serving/metric/index.ts";
export { serverlessServiceController, type ServerlessServiceOptions } from "./serving/serverlessservice/index.ts";
