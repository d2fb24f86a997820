// The kinds on a cluster: ours, which we define there, and Kubernetes' own that the controllers read.
import {
  Certificate,
  ClusterDomainClaim,
  ConfigMap,
  Configuration,
  CoreService,
  Deployment,
  Endpoints,
  EndpointSlice,
  Event,
  Image,
  Ingress,
  Metric,
  Namespace,
  Pod,
  PodAutoscaler,
  ReplicaSet,
  Revision,
  Route,
  Secret,
  ServerlessService,
  Service,
  ServiceAccount,
} from "#kinds";
import type { Kind } from "#schema";

export const OWN_KINDS = [
  Service,
  Configuration,
  Revision,
  Route,
  PodAutoscaler,
  Metric,
  Ingress,
  ServerlessService,
  Certificate,
  ClusterDomainClaim,
  Image,
] as unknown as readonly Kind[];

export const KUBERNETES_KINDS = [
  Namespace,
  Pod,
  CoreService,
  ConfigMap,
  Event,
  Endpoints,
  Secret,
  ServiceAccount,
  Deployment,
  ReplicaSet,
  EndpointSlice,
] as unknown as readonly Kind[];
