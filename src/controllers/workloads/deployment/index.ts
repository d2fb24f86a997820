// Deployment: ReplicaSets that follow its template at the pace of its strategy.
import { Deployment, ReplicaSet } from "#kinds";
import type { Controller } from "#reconcile";
import { observeDeployment, type ObservedDeployment } from "./observe.ts";
import { planDeployment } from "./plan.ts";

/** Rolls out, scales and cleans up; each pass takes one step, the change of a ReplicaSet brings the next. */
export function deploymentController(): Controller<Deployment, ObservedDeployment> {
  return {
    name: "deployment-controller",
    primary: Deployment,
    owns: [ReplicaSet],
    observe: observeDeployment,
    plan: planDeployment,
    primaryOf: ({ deployment }) => deployment,
  };
}
