// What kinds and their fields are for: `kubectl explain` shows it.
import type { Descriptions } from "#schema";
import { autoscalingDescriptions } from "./autoscaling.ts";
import { coreDescriptions } from "./core.ts";
import { eventingDescriptions } from "./eventing.ts";
import { knativeDescriptions } from "./knative.ts";
import { metaDescriptions } from "./meta.ts";
import { podDescriptions } from "./pods.ts";
import { storageDescriptions } from "./storage.ts";
import { workloadDescriptions } from "./workloads.ts";

export const descriptions: Descriptions = {
  ...metaDescriptions,
  ...coreDescriptions,
  ...podDescriptions,
  ...storageDescriptions,
  ...workloadDescriptions,
  ...autoscalingDescriptions,
  ...knativeDescriptions,
  ...eventingDescriptions,
};
