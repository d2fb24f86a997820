// What the plan of a ContainerSource knows.
import { containerSourceBindingName, ContainerSource, containerSourceDeploymentName, Deployment, SinkBinding } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";

export interface ObservedContainerSource {
  readonly source: ContainerSource;
  readonly binding: SinkBinding | undefined;
  readonly deployment: Deployment | undefined;
}

export async function observeContainerSource({ namespace, name }: ObjectKey, { client }: World): Promise<ObservedContainerSource | undefined> {
  const source = await client.find(ContainerSource, namespace, name);
  if (source === undefined) return undefined;
  const [binding, deployment] = await Promise.all([
    client.find(SinkBinding, namespace, containerSourceBindingName(name)),
    client.find(Deployment, namespace, containerSourceDeploymentName(name)),
  ]);
  return { source, binding, deployment };
}
