// What a Service's plan knows: the Service, its children and the Revision that its template names.
import { Configuration, Revision, Route, Service } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";

export interface ObservedService {
  readonly service: Service;
  readonly configuration: Configuration | undefined;
  readonly route: Route | undefined;
  /** The Revision of the name in `spec.template.metadata.name`, whoever made it. */
  readonly namedRevision: Revision | undefined;
}

export async function observeService(key: ObjectKey, world: World): Promise<ObservedService | undefined> {
  const service = await world.client.find(Service, key.namespace, key.name);
  if (service === undefined) return undefined;
  const revisionName = service.spec.template.metadata?.name;
  const [configuration, route, namedRevision] = await Promise.all([
    world.client.find(Configuration, key.namespace, key.name),
    world.client.find(Route, key.namespace, key.name),
    revisionName === undefined || revisionName === "" ? undefined : world.client.find(Revision, key.namespace, revisionName),
  ]);
  return { service, configuration, route, namedRevision };
}
