// What autoscalers and measurements of pods are for, in our own words.

const METRICS = "io.k8s.metrics.pkg.apis.metrics.v1beta1";
const V1 = "io.k8s.api.autoscaling.v1";
const V2 = "io.k8s.api.autoscaling.v2";

export const autoscalingDescriptions = {
  [`${V2}.HorizontalPodAutoscaler`]: {
    "": "Keeps as many pods as hold a measured value near its target.",
    spec: "What is scaled, between which bounds, and by which metrics.",
    status: "What was measured and decided.",
  },
  [`${V2}.HorizontalPodAutoscalerSpec`]: {
    "": "What is scaled, between which bounds, and by which metrics.",
    scaleTargetRef: "What has the pods, for instance a Deployment.",
    minReplicas: "At least so many pods; default 1.",
    maxReplicas: "At most so many pods.",
    metrics: "What is measured; the metric that wants most pods wins. Default: 80 % of the CPU that the pods request.",
    behavior: "How fast it may go up and down.",
  },
  [`${V2}.HorizontalPodAutoscalerStatus`]: {
    "": "What was measured and decided.",
    observedGeneration: "The generation that this is about.",
    lastScaleTime: "When the number of pods was changed last.",
    currentReplicas: "How many pods its target had.",
    desiredReplicas: "How many it should have.",
    currentMetrics: "What was measured, metric by metric.",
    conditions: "Whether it can scale, does so, and is held back.",
  },
  [`${V2}.HorizontalPodAutoscalerBehavior`]: {
    "": "How fast it may go up and down.",
    scaleUp: "Rules for more pods; default: 4 pods or 100 % in 15 seconds, whichever is more.",
    scaleDown: "Rules for fewer pods; default: all that is not needed, after 300 seconds.",
  },
  [`${V2}.HPAScalingRules`]: {
    "": "Limits of one direction.",
    stabilizationWindowSeconds: "The most cautious wish of so many seconds counts.",
    selectPolicy: "`Max` or `Min` of what the policies allow, or `Disabled`.",
    policies: "How much it may change in how long.",
    tolerance: "Changes below this share are not made; default 0.1.",
  },
  [`${V2}.HPAScalingPolicy`]: { "": "How much may change in how long.", type: "`Pods` or `Percent`.", value: "So many.", periodSeconds: "In so many seconds." },
  [`${V2}.MetricSpec`]: {
    "": "One metric and its target.",
    type: "Which of the following it is.",
    resource: "CPU or memory of the pods.",
    containerResource: "CPU or memory of one container of each pod.",
    pods: "A metric of the pods.",
    object: "A metric of another object.",
    external: "A metric of something outside.",
  },
  [`${V2}.MetricTarget`]: {
    "": "The value to be near to.",
    type: "`Utilization`, `AverageValue` or `Value`.",
    value: "As a whole.",
    averageValue: "For each pod.",
    averageUtilization: "In percent of what the pods request.",
  },
  [`${METRICS}.PodMetrics`]: {
    "": "What the containers of a pod use.",
    timestamp: "The end of the window.",
    window: "The time over which CPU was measured.",
    containers: "Each running container with what it uses.",
  },
  [`${METRICS}.ContainerMetrics`]: {
    "": "What a container uses.",
    name: "The container's name.",
    usage: "CPU in cores, the mean of the window; memory in bytes, at its end.",
  },
  [`${METRICS}.NodeMetrics`]: {
    "": "What a node uses, pods and all else that runs there.",
    timestamp: "The end of the window.",
    window: "The time over which CPU was measured.",
    usage: "CPU in cores, the mean of the window; memory in bytes, at its end.",
  },
  [`${V1}.HorizontalPodAutoscaler`]: {
    "": "Keeps as many pods as hold a measured value near its target.",
    spec: "What is scaled, between which bounds, and by how much CPU.",
    status: "What was measured and decided.",
  },
  [`${V1}.HorizontalPodAutoscalerSpec`]: {
    "": "What is scaled, between which bounds, and by how much CPU.",
    scaleTargetRef: "What has the pods, for instance a Deployment.",
    minReplicas: "At least so many pods; default 1.",
    maxReplicas: "At most so many pods.",
    targetCPUUtilizationPercentage: "The CPU that the pods are to use, in percent of what they request. Default: 80, unless other metrics are given.",
  },
  [`${V1}.HorizontalPodAutoscalerStatus`]: {
    "": "What was measured and decided.",
    observedGeneration: "The generation that the status is about.",
    lastScaleTime: "When the number of pods was changed last.",
    currentReplicas: "The number of pods that was seen.",
    desiredReplicas: "The number of pods that was asked for.",
    currentCPUUtilizationPercentage: "The CPU that the pods use, in percent of what they request.",
  },
} as const;
