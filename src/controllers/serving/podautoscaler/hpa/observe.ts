// Reads what the plan of an HPA-class PodAutoscaler knows: its two children and the settings.
import { annotationOf, autoscaling, HorizontalPodAutoscaler, PodAutoscaler, ServerlessService, type AutoscalerConfig } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { isLeftover } from "../../ownership.ts";
import type { PodAutoscalerSettings } from "../observed.ts";

export interface ObservedHpaClass {
  readonly autoscaler: PodAutoscaler;
  readonly config: AutoscalerConfig;
  readonly serverlessService: ServerlessService | undefined;
  readonly horizontal: HorizontalPodAutoscaler | undefined;
  /** Children of a predecessor of the same name are still to be collected; there are none of our own yet. */
  readonly leftover: boolean;
}

/** Undefined also for other classes. */
export async function observeHpaClass(key: ObjectKey, world: ShellWorld, settings: PodAutoscalerSettings): Promise<ObservedHpaClass | undefined> {
  const autoscaler = await world.client.find(PodAutoscaler, key.namespace, key.name);
  const { autoscaler: config } = settings;
  const isHpa = (annotationOf(autoscaler?.metadata.annotations, autoscaling.class) ?? config.podAutoscalerClass) === autoscaling.hpaClass;
  if (autoscaler === undefined || !isHpa) return undefined;
  const [serverlessService, horizontal] = await Promise.all([
    world.client.find(ServerlessService, key.namespace, key.name),
    world.client.find(HorizontalPodAutoscaler, key.namespace, key.name),
  ]);
  const leftover = [serverlessService, horizontal].some((child) => child !== undefined && isLeftover(child, autoscaler));
  return { autoscaler, config, leftover, ...(leftover ? { serverlessService: undefined, horizontal: undefined } : { serverlessService, horizontal }) };
}
