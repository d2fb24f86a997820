// What the plan of a Trigger knows.
import { Broker, eventing, Trigger, type FindReferenced, type KReference } from "#kinds";
import type { World } from "#reconcile";
import type { KubeObject, ObjectKey } from "#schema";
import { findAll, referencesOf, type ReferenceDeps, type ReferenceTracker } from "../references.ts";
import type { Standing } from "../standing.ts";

export interface TriggerControllerDeps extends ReferenceDeps {
  /** What is in force of the Trigger (`namespace/name`); its changes are told by `requeue`. */
  readonly standing: (key: string) => Standing | undefined;
  /** Whether Brokers of other namespaces may be named. */
  readonly crossesNamespaces: () => boolean;
}

export interface ObservedTrigger {
  readonly trigger: Trigger;
  /** Its name, and what is there of it. */
  readonly brokerName: string;
  readonly broker: Broker | undefined;
  readonly find: FindReferenced;
  readonly standing: Standing | undefined;
  /** What the Trigger waits for: undefined when it names nothing. */
  readonly dependency: KubeObject | { readonly error: string } | undefined;
}

/** The object of the annotation `knative.dev/dependency`; undefined for a text that is none. */
function dependencyOf({ metadata: { annotations, namespace = "" } }: Trigger): KReference | undefined {
  try {
    const { apiVersion, kind, name } = JSON.parse(annotations?.[eventing.dependency] ?? "") as KReference;
    return { namespace, ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }), ...(name === undefined ? {} : { name }) };
  } catch {
    return undefined;
  }
}

export async function observeTrigger(
  key: ObjectKey,
  world: World,
  deps: TriggerControllerDeps & { readonly references: ReferenceTracker },
): Promise<ObservedTrigger | undefined> {
  const trigger = await world.client.find(Trigger, key.namespace, key.name);
  if (trigger === undefined) return undefined;
  const { spec } = trigger;
  const ref = deps.crossesNamespaces() ? spec.brokerRef : undefined;
  const brokerName = ref?.name ?? spec.broker ?? "";
  const brokerNamespace = ref?.namespace ?? key.namespace;
  const dependency = dependencyOf(trigger);
  const named = [...referencesOf([spec.subscriber, spec.delivery?.deadLetterSink]), ...(dependency === undefined ? [] : [dependency])];
  deps.references.track(key, [...named, { kind: Broker.kind, namespace: brokerNamespace, name: brokerName }]);
  const [broker, find] = await Promise.all([world.client.find(Broker, brokerNamespace, brokerName), findAll(world.client, named, deps)]);
  return {
    trigger,
    brokerName,
    broker,
    find,
    standing: deps.standing(`${key.namespace}/${key.name}`),
    dependency: dependency === undefined ? undefined : (find(dependency) as KubeObject | { readonly error: string }),
  };
}
