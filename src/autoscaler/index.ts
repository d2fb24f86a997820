// autoscaler: how many pods a revision should have: windows over its load, the decider, and all revisions together.
export { decide, newDecider, type DeciderInputs, type DeciderState, type DeciderStatus, type Decided, type Explanation } from "./decide.ts";
export { Deciders, type Explained, type PodCounts, type RevisionSnapshot } from "./deciders.ts";
export { durationOf, initialScaleOf, numberOf, resolveSettings, scaleBoundsOf, type Annotations, type Resolvable } from "./resolve.ts";
export type { AggregationAlgorithm, DeciderSettings, MetricSettings, RevisionSettings, ScalingMetric } from "./settings.ts";
export { publishDeciders } from "./metrics.ts";
export { RevisionWindows, type WindowValues } from "./revision-windows.ts";
