// controllers: one folder per reconciled kind; each is a pure plan with what it observes.
export {
  markScale,
  minReadyOf,
  numActivatorsFor,
  planPodAutoscaler,
  podAutoscalerController,
  scaleOf,
  type DeciderSource,
  type ObservedPodAutoscaler,
  type PodAutoscalerOptions,
  type PodAutoscalerSettings,
  type Scaled,
} from "./serving/podautoscaler/index.ts";
export { configurationController } from "./serving/configuration/index.ts";
export { ingressController, PRIVATE_GATEWAY, PUBLIC_GATEWAY, type IngressControllerDeps } from "./serving/ingress/index.ts";
export { labelerController } from "./serving/labeler/index.ts";
export { revisionController, type ResolveDigest, type ResolvedDigest, type RevisionControllerDeps } from "./serving/revision/index.ts";
export { routeController, type RouteControllerDeps } from "./serving/route/index.ts";
export { serviceController } from "./serving/service/index.ts";
