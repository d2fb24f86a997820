// The truth table of ApiServerSources.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiServerSource, ConfigMap } from "#kinds";
import type { Kind } from "#schema";
import { conditionsOf, made } from "../../serving/fixture.test-suite.ts";
import type { ObservedApiServerSource } from "./observe.ts";
import { planApiServerSource } from "./plan.ts";
import { configText } from "./watches.ts";

const kind = ConfigMap as unknown as Kind;
const source = (spec: object = {}): ApiServerSource =>
  made(ApiServerSource, "s", {
    spec: { sink: { uri: "http://sink/" }, mode: "Reference", serviceAccountName: "sa", resources: [{ apiVersion: "v1", kind: "ConfigMap" }], ...spec },
  });
const observed = (over: Partial<ObservedApiServerSource> = {}): ObservedApiServerSource => ({
  source: source(),
  find: () => ({ error: "no" }),
  kinds: [kind],
  namespaces: ["default"],
  denied: [],
  host: "https://10.0.0.1:443",
  inForce: undefined,
  ...over,
});
const said = (over: Partial<ObservedApiServerSource>, type: string): string | undefined =>
  conditionsOf(planApiServerSource(observed(over)).status).find((condition) => condition.startsWith(`${type}=`));

test("planApiServerSource: watches are made, and it is Ready once they know what exists", () => {
  const { effects = [] } = planApiServerSource(observed());
  const [effect] = effects;
  assert.deepEqual([effect?.config.namespaces, effect?.config.target], [["default"], { url: "http://sink/" }]);
  assert.match(said({}, "Deployed") ?? "", /^Deployed=Unknown DeploymentUnavailable: The Deployment 'apiserversource-s-ApiServerSource-s' is unavailable\.$/);
  assert.ok(effect !== undefined);
  const inForce = configText(effect.config);
  assert.deepEqual(planApiServerSource(observed({ inForce })).effects, []);
  assert.deepEqual(conditionsOf(planApiServerSource(observed({ inForce })).status), [
    "Deployed=True",
    "OIDCIdentityCreated=True authentication-oidc feature disabled",
    "Ready=True",
    "SinkProvided=True",
    "SufficientPermissions=True",
  ]);
});

test("planApiServerSource: all namespaces are one watch, those by labels are named, and the status names all", () => {
  const at = (namespaceSelector: object): unknown => {
    const { effects, status } = planApiServerSource(observed({ source: source({ namespaceSelector }), namespaces: ["a", "b"] }));
    return [effects?.[0]?.config.namespaces, (status as { namespaces: string[] }).namespaces];
  };
  assert.deepEqual(at({}), [undefined, ["a", "b"]]);
  assert.deepEqual(at({ matchLabels: { x: "y" } }), [
    ["a", "b"],
    ["a", "b"],
  ]);
});

test("planApiServerSource: what is not allowed is told in Knative's words, and nothing is watched", () => {
  const denied = [
    { verbs: ["list", "watch"], kind, namespace: "a" },
    { verbs: ["get"], kind, namespace: "b" },
  ];
  const message =
    'User system:serviceaccount:default:sa cannot list, watch resource "configmaps" in API group "" in Namespace "a", get resource "configmaps" in API group "" in Namespace "b"';
  const { effects, failure } = planApiServerSource(observed({ denied }));
  assert.deepEqual([effects, failure], [undefined, `insufficient permissions: ${message}`]);
  assert.match(said({ denied }, "SufficientPermissions") ?? "", /cannot list, watch resource "configmaps"/);
  assert.match(planApiServerSource(observed({ kinds: [undefined] })).failure ?? "", /no matches for kind "ConfigMap" in version "v1"$/);
});

test("planApiServerSource: a sink that has no address", () => {
  const ref = { apiVersion: "v1", kind: "Service", namespace: "default", name: "x" };
  assert.equal(said({ source: source({ sink: { ref } }) }, "SinkProvided"), "SinkProvided=False NotFound");
});
