// What the plan of a Broker knows.
import { Broker, type FindReferenced } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";
import { findNamed, type ReferenceDeps, type ReferenceTracker } from "../references.ts";
import type { Standing } from "../standing.ts";

export interface BrokerControllerDeps extends ReferenceDeps {
  /** What is in force of the Broker (`namespace/name`); its changes are told by `requeue`. */
  readonly standing: (key: string) => Standing | undefined;
  /** Where people outside of the cluster send events to, before `/NAMESPACE/NAME`; undefined where they cannot. */
  readonly outerUrl: () => string | undefined;
}

export interface ObservedBroker {
  readonly broker: Broker;
  readonly find: FindReferenced;
  readonly standing: Standing | undefined;
  readonly outerUrl: string | undefined;
}

export async function observeBroker(
  key: ObjectKey,
  world: World,
  deps: BrokerControllerDeps & { readonly references: ReferenceTracker },
): Promise<ObservedBroker | undefined> {
  const broker = await world.client.find(Broker, key.namespace, key.name);
  if (broker === undefined) return undefined;
  const find = await findNamed(world.client, { key, destinations: [broker.spec.delivery?.deadLetterSink] }, deps);
  return { broker, find, standing: deps.standing(`${key.namespace}/${key.name}`), outerUrl: deps.outerUrl() };
}
