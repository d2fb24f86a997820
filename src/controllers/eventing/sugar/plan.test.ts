// The table of config-sugar.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Namespace, Trigger } from "#kinds";
import type { Plan } from "#reconcile";
import type { KubeObject, LabelSelectorObject } from "#schema";
import { made } from "../../serving/fixture.test-suite.ts";
import { planNamespaceSugar, planTriggerSugar } from "./plan.ts";

const labels = { team: "red" };
const namespace = (over: object = {}): Namespace => ({ ...made(Namespace, "ns", {}, { labels, ...over }) });
const trigger = (over: object = {}): Trigger => made(Trigger, "t", { spec: { broker: "b" } }, { labels, ...over });
const red = { matchLabels: { team: "red" } };
const badOperator = { matchExpressions: [{ key: "a", operator: "Sometimes" }] };

function told({ desired, failure }: Plan): unknown {
  if (failure !== undefined) return failure;
  return desired?.map(({ object, onCreated, merge }) => {
    assert.equal(merge?.(object as KubeObject, object), undefined);
    const { message, regarding } = onCreated?.(object as KubeObject) ?? {};
    return [object.metadata.namespace, object.metadata.name, object.metadata.labels, message, regarding?.namespace];
  });
}
const INJECTED = { "eventing.knative.dev/injected": "true" };

const namespaces: readonly (readonly [name: string, selector: LabelSelectorObject | undefined, about: Namespace, want: unknown])[] = [
  ["off", undefined, namespace(), undefined],
  ["all", {}, namespace({ labels: {} }), [["ns", "default", INJECTED, "Default eventing.knative.dev Broker created.", "ns"]]],
  ["chosen", red, namespace(), [["ns", "default", INJECTED, "Default eventing.knative.dev Broker created.", "ns"]]],
  ["not chosen", red, namespace({ labels: { team: "blue" } }), undefined],
  ["going away", {}, namespace({ deleting: true }), undefined],
  ["a wrong selector", badOperator, namespace(), "invalid label selector for namespaces: it has an operator that does not exist"],
];
for (const [name, selector, about, want] of namespaces)
  test(`planNamespaceSugar: ${name}`, () => assert.deepEqual(told(planNamespaceSugar({ about, selector })), want));

const triggers: readonly (readonly [name: string, selector: LabelSelectorObject | undefined, about: Trigger, want: unknown])[] = [
  ["off", undefined, trigger(), undefined],
  ["chosen", red, trigger(), [["default", "b", INJECTED, 'Default eventing.knative.dev Broker "b" created.', undefined]]],
  ["not chosen", red, trigger({ labels: {} }), undefined],
  ["going away", {}, trigger({ deleting: true }), undefined],
  ["a wrong selector", badOperator, trigger(), "invalid label selector for triggers: it has an operator that does not exist"],
];
for (const [name, selector, about, want] of triggers)
  test(`planTriggerSugar: ${name}`, () => assert.deepEqual(told(planTriggerSugar({ about, selector })), want));
