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
