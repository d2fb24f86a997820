// autoscaler: how many pods a revision should have: windows over its load, the decider, and all revisions together.
export { decide, newDecider, type DeciderInputs, type DeciderState, type DeciderStatus, type Decided, type Explanation } from "./decide.ts";
export { Deciders, type PodCounts, type RevisionSnapshot } from "./deciders.ts";
export type { Explained } from "./explained.ts";
export { RECORDING_FORMAT, type RecordedDecision, type RecordedEvent, type Recording, type Take } from "./recording.ts";
export { replay, replayDifferences, type Replayed } from "./replay.ts";
export { durationOf, initialScaleOf, numberOf, resolveSettings, scaleBoundsOf, type Annotations, type Resolvable } from "./resolve.ts";
export type { AggregationAlgorithm, DeciderSettings, MetricSettings, RevisionSettings, ScalingMetric } from "./settings.ts";
export { publishDeciders } from "./metrics.ts";
export { RevisionWindows, type WindowValues } from "./revision-windows.ts";
export { parseScaleFile, SIMULATED_KEYS, simulatedSettings, type ScaleFile, type ScaleSource, type SimulatedSettings } from "./scale-file.ts";
export { simulate, type Moment, type Offered, type Run, type Simulation } from "./simulate.ts";
