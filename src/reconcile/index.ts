// reconcile: the machine that runs plans.
export type { Child, Controller, Patch, Plan, PlanEvent, Watched, World } from "./port.ts";
