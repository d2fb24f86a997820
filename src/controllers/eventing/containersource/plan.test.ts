// The truth table of ContainerSources.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boundTemplate as bound, ContainerSource, Deployment, SinkBinding } from "#kinds";
import type { Child } from "#reconcile";
import type { KubeObject } from "#schema";
import { condition, conditionsOf, made, ready } from "../../serving/fixture.test-suite.ts";
import type { ObservedContainerSource } from "./observe.ts";
import { planContainerSource } from "./plan.ts";

const SINK = "http://sink.example/";
const source = made(ContainerSource, "s", { spec: { sink: { uri: SINK }, template: { metadata: {}, spec: { containers: [{ name: "s-0", image: "i" }] } } } });
const binding = made(SinkBinding, "s-sinkbinding", { status: { sinkUri: SINK, conditions: ready("True") } });
const deployment = (conditions: object[] = [], spec: object = { containers: [] }): Deployment =>
  made(Deployment, "s-deployment", { spec: { replicas: 4, template: { spec } }, status: { conditions } });
const observed = (over: Partial<ObservedContainerSource> = {}): ObservedContainerSource => ({ source, binding, deployment: undefined, ...over });
const names = (over: Partial<ObservedContainerSource>): (string | undefined)[] =>
  (planContainerSource(observed(over)).desired ?? []).map(({ object }) => object.metadata.name);
const labels = { "sources.knative.dev/source": "container-source-controller", "sources.knative.dev/containerSource": "s" };

test("planContainerSource: the Deployment waits for the sink, and has it from the start", () => {
  assert.deepEqual(names({ binding: undefined }), ["s-sinkbinding"]);
  const plan = planContainerSource(observed());
  const [first, second] = (plan.desired ?? []) as readonly Child<KubeObject & { spec: unknown }>[];
  assert.deepEqual(first?.object.spec, {
    sink: { uri: SINK },
    subject: { apiVersion: "apps/v1", kind: "Deployment", namespace: "default", name: "s-deployment" },
  });
  assert.deepEqual(first?.object.metadata.labels, labels);
  const env = [{ name: "K_SINK", value: SINK }, { name: "K_CE_OVERRIDES" }];
  const template = { metadata: { labels }, spec: { containers: [{ name: "s-0", image: "i", env }] } };
  assert.deepEqual(second?.object.spec, { selector: { matchLabels: labels }, template });
});

test("planContainerSource: a Deployment keeps its replicas and what the SinkBinding has put into it", () => {
  const other = bound({ containers: [{ name: "s-0", image: "old" }] }, { sinkUri: "http://newer.example/" });
  const current = deployment([], other);
  const [, child] = planContainerSource(observed({ deployment: current })).desired ?? [];
  const merged = child?.merge?.(current, child.object) as unknown as { spec: { replicas: number; template: { spec: { containers: unknown } } } };
  assert.equal(merged.spec.replicas, 4);
  assert.deepEqual(merged.spec.template.spec.containers, [{ ...(other.containers[0] as object), image: "i" }]);
});

test("planContainerSource: conditions are those of its children", () => {
  const unknown = "ReceiveAdapterReady=Unknown DeploymentUnavailable: The Deployment 's-deployment' is unavailable.";
  const rows: readonly [Partial<ObservedContainerSource>, readonly string[]][] = [
    [{ binding: undefined }, ["Ready=Unknown DeploymentUnavailable: The Deployment 's-deployment' is unavailable.", unknown, "SinkBindingReady=Unknown"]],
    [{ deployment: deployment([condition("Available", "True")]) }, ["Ready=True", "ReceiveAdapterReady=True", "SinkBindingReady=True"]],
    [
      { deployment: deployment([condition("Available", "False", "Min", "no")]) },
      ["Ready=False Min: no", "ReceiveAdapterReady=False Min: no", "SinkBindingReady=True"],
    ],
  ];
  for (const [over, want] of rows) assert.deepEqual(conditionsOf(planContainerSource(observed(over)).status), want);
  assert.equal((planContainerSource(observed()).status as { sinkUri?: string }).sinkUri, SINK);
});
