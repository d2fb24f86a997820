// Reads a Service, the pods that it selects and its Endpoints; for a Service that is gone, what it left behind.
import { CoreService, Endpoints } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import type { BackingPod, ServicePods } from "../service-pods.ts";

export interface ObservedEndpoints {
  /** A stand-in with uid "" when the Service is gone. */
  readonly service: CoreService;
  readonly pods: readonly BackingPod[];
  readonly endpoints: Endpoints | undefined;
}

function standIn({ namespace, name }: ObjectKey): CoreService {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace, uid: "", resourceVersion: "", creationTimestamp: "" }, spec: {} };
}

export async function observeEndpoints(key: ObjectKey, world: World, pods: ServicePods): Promise<ObservedEndpoints | undefined> {
  const service = await world.client.find(CoreService, key.namespace, key.name);
  const endpoints = await world.client.find(Endpoints, key.namespace, key.name);
  if (service === undefined) return endpoints === undefined ? undefined : { service: standIn(key), pods: [], endpoints };
  return { service, pods: pods.podsOf(service), endpoints };
}
