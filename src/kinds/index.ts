// kinds: one file per API kind, by group: schema, semantic checks, conditions, child names, settings.
// Also quantities, for rooms that deal with pods and not with schemas.
export { parseQuantity, quantityNumber } from "#schema";
export { Service, serviceConditions, type ServiceStatus } from "./serving/service.ts";
export { Configuration, configurationConditions } from "./serving/configuration.ts";
export { Revision, revisionConditions, type ContainerStatus, type RevisionStatus } from "./serving/revision.ts";
export { protocolOf, servingContainerOf, userPortOf } from "./serving/serving-container.ts";
export { Route, routeConditions, type RouteStatus, type TrafficTarget } from "./serving/route.ts";
export type { Addressable, DuckStatus } from "./duck/status.ts";
export { addressOf, resolveDestination, type FindReferenced, type Resolution, type ResolvedAddress, type ResolveOptions } from "./duck/addressable.ts";
export type { DeliverySpec } from "./duck/delivery.ts";
export type { Destination } from "./duck/destination.ts";
export { parsePeriodMs } from "./duck/period.ts";
export type { KReference } from "./duck/reference.ts";
export { Broker, brokerConditions, type BrokerSpec, type BrokerStatus } from "./eventing/broker.ts";
export { Trigger, triggerConditions, type TriggerSpec, type TriggerStatus } from "./eventing/trigger.ts";
export type { EventFilter } from "./eventing/event-filter.ts";
export {
  brokerChannelName,
  channelServiceName,
  containerSourceBindingName,
  containerSourceDeploymentName,
  parallelBranchName,
  parallelFilterName,
  parallelIngressName,
  seenEventTypeName,
  sequenceStepName,
  sourceEventTypeName,
  triggerSubscriptionName,
} from "./eventing/names.ts";
export { EventType, eventTypeConditions, olderEventTypes, type EventAttribute, type EventTypeSpec } from "./eventing/event-type.ts";
export type { KindView } from "./kind-view.ts";
export type { SourceSpec } from "./duck/source.ts";
export { BINDING_FINALIZER, bindingAdmission, type BindingAdmissionDeps } from "./sources/binding-admission.ts";
export {
  BINDING_EXCLUDE,
  boundTemplate,
  boundTemplateAs,
  isBindable,
  isBoundAlike,
  templateBinding,
  unboundTemplate,
  type BindableObject,
} from "./sources/bound-template.ts";
export { ApiServerSource, apiServerSourceConditions, type ApiServerSourceSpec, type ApiServerSourceStatus } from "./sources/api-server-source.ts";
export { ContainerSource, containerSourceConditions, type ContainerSourceSpec, type ContainerSourceStatus } from "./sources/container-source.ts";
export { cronText, type CronText } from "./sources/cron.ts";
export { olderSources } from "./sources/older-versions.ts";
export { PingSource, pingSourceConditions, type PingSourceSpec, type PingSourceStatus } from "./sources/ping-source.ts";
export { SinkBinding, sinkBindingConditions, type BindingSubject, type SinkBindingSpec, type SinkBindingStatus } from "./sources/sink-binding.ts";
export { Channel, channelConditions, type ChannelSpec, type ChannelStatus, type ChannelTemplate } from "./messaging/channel.ts";
export { InMemoryChannel, inMemoryChannelConditions, type InMemoryChannelSpec, type InMemoryChannelStatus } from "./messaging/in-memory-channel.ts";
export type { ChannelSubscriber, ChannelSubscriberStatus } from "./messaging/subscribable.ts";
export { Subscription, subscriptionConditions, type SubscriptionSpec, type SubscriptionStatus } from "./messaging/subscription.ts";
export { Sequence, sequenceConditions, type SequenceSpec, type SequenceStatus, type SequenceStep } from "./flows/sequence.ts";
export { Parallel, parallelConditions, type ParallelBranch, type ParallelSpec, type ParallelStatus } from "./flows/parallel.ts";
export { defaultEventingConfig, parseEventingConfig, type EventingConfig, type ParsedEventingConfig } from "./eventing-config/eventing-config.ts";
export type { SugarConfig } from "./eventing-config/small-maps.ts";
export { defaultEventingConfigMaps, EVENTING_NAMESPACE } from "./eventing-config/default-maps.ts";
export type { EventingFeatures } from "./eventing-config/features.ts";
export type { Container, Probe } from "./serving/container-schema.ts";
export type { RevisionSpec, RevisionTemplate } from "./serving/revision-spec.ts";
export { PodAutoscaler, podAutoscalerConditions } from "./autoscaling/pod-autoscaler.ts";
export { autoscalerV1Stored, HorizontalPodAutoscalerV1 } from "./autoscaling/horizontal-pod-autoscaler-v1.ts";
export { HorizontalPodAutoscaler } from "./autoscaling/horizontal-pod-autoscaler.ts";
export type {
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "./autoscaling/v2.types.ts";
export { NodeMetrics, PodMetrics } from "./metrics/usage.ts";
export { nodeMetricsOf, podMetricsOf, type MeasuredRate } from "./metrics/measured.ts";
export { Metric, metricConditions } from "./autoscaling/metric.ts";
export {
  Ingress,
  ingressConditions,
  type IngressPath,
  type IngressRule,
  type IngressSplit,
  type IngressTls,
  type LoadBalancerStatus,
} from "./networking/ingress.ts";
export { ServerlessService, serverlessServiceConditions } from "./networking/serverless-service.ts";
export { Certificate, certificateConditions } from "./networking/certificate.ts";
export { ClusterDomainClaim } from "./networking/cluster-domain-claim.ts";
export { Image } from "./caching/image.ts";
export { knativeAdmission, type KnativeAdmissionDeps } from "./admission.ts";
export { reviewAnswerer, type AnswerReview } from "./admission-review.ts";
export { webhookConfigurations } from "./webhook-configurations.ts";
export { WRITTEN } from "./cluster-only.ts";
export { FieldErrors, fieldError as knativeFieldError, type KnativeFieldError } from "./knative-field-error.ts";
export { servingContainerIndex } from "./serving/revision-spec-checks.ts";
export { descriptions } from "./descriptions/index.ts";
export { childName } from "./child-name.ts";
export { ALTERNATIVE_SPELLINGS, annotationOf, autoscaling, eventing, lookUp, messaging, networking, queueSidecar, serving } from "./keys.ts";
export { checkAutoscalingAnnotations } from "./serving/autoscaling-annotations.ts";
export { parseAutoscalerConfig, type AutoscalerConfig } from "./config/autoscaler.ts";
export { configMapAdmission } from "./config/admission.ts";
export { defaultConfigMaps, SYSTEM_NAMESPACE, type ConfigMapObject } from "./config/default-config-maps.ts";
export { containerNameFor, type DefaultsConfig } from "./config/defaults.ts";
export type { DeploymentConfig } from "./config/deployment.ts";
export { CLUSTER_DOMAIN, domainFor, type DomainConfig, type DomainEntry } from "./config/domain.ts";
export type { FeaturesConfig, Flag, SecurePodDefaults } from "./config/features.ts";
export type { GcConfig } from "./config/gc.ts";
export type { LeaderElectionConfig, LoggingConfig } from "./config/leader-election.ts";
export { EIDER_INGRESS_CLASS, hostFor, tagNameFor, type DomainValues, type NetworkConfig } from "./config/network.ts";
export type { ExportConfig, ObservabilityConfig } from "./config/observability.ts";
export type { ConfigData, ConfigError } from "./config/reader.ts";
export { defaultServingConfig, parseServingConfig, type ParsedServingConfig, type ServingConfig } from "./config/serving-config.ts";
export { ClusterNode, nodeAdmission } from "./core/node.ts";
export { ConfigMap } from "./core/config-map.ts";
export { CoreService } from "./core/service.ts";
export { clusterIpAdmission, type ClusterIpOptions } from "./core/service-addresses.ts";
export { SERVICE_RANGE_DEFAULT, serviceRange, type ServiceRange } from "./core/service-range.ts";
export { Endpoints } from "./core/endpoints.ts";
export { Event } from "./core/event.ts";
export { beginNamespaceDeletion, Namespace, namespaceAdmission } from "./core/namespace.ts";
export { Pod } from "./core/pod.ts";
export { hasEnded } from "./core/pod-phase.ts";
export { accessReviews, type AccessAuthority, type AccessRules, type AskedAccess } from "./authorization/reviews.ts";
export { Binding, bound, evicted, Eviction } from "./core/pod-actions.ts";
export { TokenRequest, type BoundObject } from "./core/token-request.ts";
export { podAdmission, type PodAdmissionOptions } from "./core/pod-admission.ts";
export { amountsOf, type ResourceAmounts } from "./core/resource-amounts.ts";
export { PersistentVolume, volumeAdmission } from "./core/persistent-volume.ts";
export { PersistentVolumeClaim } from "./core/persistent-volume-claim.ts";
export { storageClassOf } from "./core/storage-checks.ts";
export { CLAIM_PROTECTION, VOLUME_PROTECTION } from "./core/storage-protection.ts";
export { claimAdmission } from "./storage/claim-admission.ts";
export { StorageClass } from "./storage/storage-class.ts";
export { Secret } from "./core/secret.ts";
export { ServiceAccount } from "./core/service-account.ts";
export { definitions as coreDefinitions } from "./core/definitions.ts";
export type {
  Container as CoreContainer,
  ContainerPort,
  ContainerState,
  ContainerStatus as CoreContainerStatus,
  EndpointAddress,
  EndpointPort as EndpointsPort,
  EndpointSubset,
  EnvVar,
  ObjectReference,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
  PersistentVolumeSpec,
  PersistentVolumeStatus,
  PodCondition,
  PodSpec,
  PodStatus,
  PodTemplateSpec,
  Probe as CoreProbe,
  ResourceRequirements,
  ServicePort,
  ServiceSpec,
  Volume,
  VolumeMount,
} from "./core/v1.types.ts";
export type { LabelSelector } from "./core/meta.types.ts";
export { Deployment } from "./apps/deployment.ts";
export { ReplicaSet } from "./apps/replica-set.ts";
export type { DeploymentCondition, DeploymentSpec, DeploymentStatus, ReplicaSetSpec, ReplicaSetStatus } from "./apps/v1.types.ts";
export { EndpointSlice } from "./discovery/endpoint-slice.ts";
export type { Endpoint, EndpointPort } from "./discovery/v1.types.ts";
export { CustomResourceDefinition } from "./apiextensions/custom-resource-definition.ts";
export { approvalOf as apiApprovalOf } from "./apiextensions/approval.ts";
export { definitionErrors } from "./apiextensions/validation.ts";
export { webhookConversion, type PostToWebhook } from "./apiextensions/conversion-review.ts";
export { kindOf as customKindOf } from "./apiextensions/custom-kinds.ts";
export { versionsOf as customVersionsOf, type Convert as ConvertCustom, type CustomVersion } from "./apiextensions/stored-versions.ts";
export { definitionAdmission, onDefinitionDeletion } from "./apiextensions/admission.ts";
export { Lease } from "./coordination/lease.ts";
