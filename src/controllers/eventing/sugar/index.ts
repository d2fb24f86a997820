// The sugar controllers: Brokers that come by themselves, where `config-sugar` says so. They are made and then left alone.
import { Broker, Namespace, Trigger, type SugarConfig } from "#kinds";
import type { Controller } from "#reconcile";
import { ReferenceTracker } from "../references.ts";
import { DEFAULT_BROKER, planNamespaceSugar, planTriggerSugar, type ObservedSugar } from "./plan.ts";

/** Settings as they are now. */
type SugarNow = () => SugarConfig;

/** A Broker `default` for chosen namespaces. */
export function namespaceSugarController(sugar: SugarNow): Controller<Namespace, ObservedSugar<Namespace>> {
  return {
    name: "namespace-sugar-controller",
    primary: Namespace,
    owns: [],
    watches: [{ kind: Broker, keys: ({ metadata: { name, namespace = "" } }) => (name === DEFAULT_BROKER ? [{ namespace: "", name: namespace }] : []) }],
    async observe({ name }, { client }) {
      const about = await client.find(Namespace, "", name);
      return about === undefined ? undefined : { about, selector: sugar().namespaceSelector };
    },
    plan: planNamespaceSugar,
    primaryOf: ({ about }) => about,
  };
}

/** The Broker that a chosen Trigger names. */
export function triggerSugarController(sugar: SugarNow): Controller<Trigger, ObservedSugar<Trigger>> {
  const references = new ReferenceTracker();
  return {
    name: "trigger-sugar-controller",
    primary: Trigger,
    owns: [],
    watches: references.watches([Broker]),
    async observe(key, { client }) {
      const about = await client.find(Trigger, key.namespace, key.name);
      if (about === undefined) return undefined;
      references.track(key, [{ kind: Broker.kind, namespace: key.namespace, name: about.spec.broker ?? "" }]);
      return { about, selector: sugar().triggerSelector };
    },
    plan: planTriggerSugar,
    primaryOf: ({ about }) => about,
    forget: (key) => references.forget(key),
  };
}
