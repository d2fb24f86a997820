// reconcile: the machine that runs plans.
export { createEventRecorder, type EventObject, type EventRecorder, type EventRecorderOptions, type Regarding } from "./event-recorder.ts";
export { fenced, leadOnce, type LeaderElectionOptions, type LeaseObject, type Term } from "./leader-election.ts";
export { controllerOf, ownerReferenceFor } from "./owners.ts";
export type { Child, Controller, Patch, Plan, PlanEvent, Refusal, ShellWorld, Watched, World } from "./port.ts";
export { RightOfWay } from "./right-of-way.ts";
export { runController, type ControllerRun, type PassReport, type RunOptions } from "./run-controller.ts";
