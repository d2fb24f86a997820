// The controller of ContainerSources: pods that send events of their own making.
import { ContainerSource, Deployment, SinkBinding } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { observeContainerSource, type ObservedContainerSource } from "./observe.ts";
import { planContainerSource } from "./plan.ts";

export function containerSourceController(): Controller<ContainerSource, ObservedContainerSource> {
  return {
    name: "containersource-controller",
    primary: ContainerSource,
    owns: [Deployment, SinkBinding] as unknown as readonly Kind[],
    observe: observeContainerSource,
    plan: planContainerSource,
    primaryOf: ({ source }) => source,
  };
}
