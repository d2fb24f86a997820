// kinds: one file per API kind, by group: schema, semantic checks, conditions, child names, settings.
export { Service, type ServiceStatus } from "./serving/service.ts";
export { Configuration } from "./serving/configuration.ts";
export { Revision, type ContainerStatus, type RevisionStatus } from "./serving/revision.ts";
export { Route, type RouteStatus, type TrafficTarget } from "./serving/route.ts";
export type { Addressable, DuckStatus } from "./serving/duck.ts";
export type { Container, Probe, RevisionSpec, RevisionTemplate } from "./serving/pod-template.ts";
export { PodAutoscaler } from "./autoscaling/pod-autoscaler.ts";
export { Metric } from "./autoscaling/metric.ts";
export { Ingress, type IngressPath, type IngressRule, type IngressSplit, type IngressTls, type LoadBalancerStatus } from "./networking/ingress.ts";
export { ServerlessService } from "./networking/serverless-service.ts";
export { Certificate } from "./networking/certificate.ts";
export { ClusterDomainClaim } from "./networking/cluster-domain-claim.ts";
export { Image } from "./caching/image.ts";
export { childName } from "./child-name.ts";
export { ALTERNATIVE_SPELLINGS, annotationOf, autoscaling, lookUp, networking, queueSidecar, serving } from "./keys.ts";
export type { AutoscalerConfig } from "./config/autoscaler.ts";
