// Reads what EndpointSlices are made from: a Service with its pods, or Endpoints with their Service.
import { CoreService, Endpoints, EndpointSlice } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import type { BackingPod, ServicePods } from "../service-pods.ts";

export interface ObservedSlices {
  readonly service: CoreService;
  readonly pods: readonly BackingPod[];
  readonly slices: readonly EndpointSlice[];
}

export async function observeSlices(key: ObjectKey, world: ShellWorld, pods: ServicePods): Promise<ObservedSlices | undefined> {
  const service = await world.client.find(CoreService, key.namespace, key.name);
  if (service === undefined) return undefined;
  return { service, pods: pods.podsOf(service), slices: await world.owned(EndpointSlice, service.metadata) };
}

export interface ObservedMirror {
  readonly endpoints: Endpoints;
  readonly service: CoreService | undefined;
  readonly slices: readonly EndpointSlice[];
}

export async function observeMirror(key: ObjectKey, world: ShellWorld): Promise<ObservedMirror | undefined> {
  const endpoints = await world.client.find(Endpoints, key.namespace, key.name);
  if (endpoints === undefined) return undefined;
  const service = await world.client.find(CoreService, key.namespace, key.name);
  return { endpoints, service, slices: await world.owned(EndpointSlice, endpoints.metadata) };
}
