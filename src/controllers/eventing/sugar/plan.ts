// Which Broker comes by itself (eventing.md §4.5, config-sugar). One that is there is left as it is, and none is ever deleted.
//
// selector       matches labels of    Broker that is made
// none           –                    none
// of namespaces  the namespace        `default`
// of Triggers    the Trigger          the one that it names, in its own namespace
import { Broker, type Namespace, type Trigger } from "#kinds";
import type { Child, Plan, PlanEvent } from "#reconcile";
import { requirementsOf, selectorMatches, type KubeObject, type LabelSelectorObject } from "#schema";

export const DEFAULT_BROKER = "default";
const INJECTED = "eventing.knative.dev/injected";

export interface ObservedSugar<O extends KubeObject> {
  readonly about: O;
  readonly selector: LabelSelectorObject | undefined;
}

export function planNamespaceSugar({ about, selector }: ObservedSugar<Namespace>): Plan {
  const { name, uid, labels, deletionTimestamp } = about.metadata;
  if (selector === undefined || deletionTimestamp !== undefined || about.status?.phase === "Terminating") return NOTHING;
  if (requirementsOf(selector) === undefined) return wrong("namespaces");
  if (!selectorMatches(selector, labels)) return NOTHING;
  // People look for it there, and not where Events about what has no namespace are.
  const regarding = { apiVersion: "v1", kind: "Namespace", namespace: name, name, uid };
  return { desired: [brokerFor({ namespace: name, name: DEFAULT_BROKER }, { ...created("Default eventing.knative.dev Broker created."), regarding })] };
}

export function planTriggerSugar({ about, selector }: ObservedSugar<Trigger>): Plan {
  const { namespace = "", labels, deletionTimestamp } = about.metadata;
  const { broker = "" } = about.spec;
  if (selector === undefined || deletionTimestamp !== undefined || broker === "") return NOTHING;
  if (requirementsOf(selector) === undefined) return wrong("triggers");
  if (!selectorMatches(selector, labels)) return NOTHING;
  return { desired: [brokerFor({ namespace, name: broker }, created(`Default eventing.knative.dev Broker ${JSON.stringify(broker)} created.`))] };
}

const NOTHING: Plan = { desired: undefined };

function wrong(what: string): Plan {
  return { desired: undefined, failure: `invalid label selector for ${what}: it has an operator that does not exist` };
}

function created(message: string): PlanEvent {
  return { type: "Normal", reason: "BrokerCreated", message };
}

function brokerFor(metadata: { readonly namespace: string; readonly name: string }, event: PlanEvent): Child {
  const broker: Child<Broker> = {
    kind: Broker,
    unowned: true,
    object: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", metadata: { ...metadata, labels: { [INJECTED]: "true" } }, spec: {} },
    merge: () => undefined,
    onCreated: () => event,
  };
  return broker as unknown as Child;
}
