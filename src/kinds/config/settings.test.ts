// Settings beside the autoscaler's: what the maps that we are born with say, templates, domains.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { configMapAdmission } from "./admission.ts";
import { defaultConfigMaps, EXAMPLE_CHECKSUM, type ConfigMapObject } from "./default-config-maps.ts";
import { containerNameFor, parseDefaultsConfig, type DefaultsConfig } from "./defaults.ts";
import { domainFor, parseDomainConfig, type DomainConfig } from "./domain.ts";
import { hostFor, parseNetworkConfig, tagNameFor, type NetworkConfig } from "./network.ts";
import { defaultServingConfig, parseServingConfig } from "./serving-config.ts";

const born = defaultConfigMaps({ domain: "localhost", version: "1.0.0" });
const dataOf = Object.fromEntries(born.map((map) => [map.metadata.name ?? "", map.data ?? {}]));
const user = { name: "admin", groups: [] };

function admit(object: ConfigMapObject): string {
  try {
    configMapAdmission({ operation: "UPDATE", subresource: "", user, dryRun: false, object, old: undefined });
    return "";
  } catch (error) {
    assert.ok(error instanceof StatusError);
    return error.message;
  }
}

test("the maps that a platform is born with are accepted and say what holds without them", () => {
  for (const map of born) assert.equal(admit(map as ConfigMapObject), "", map.metadata.name ?? "");
  const { config, errors } = parseServingConfig(dataOf);
  assert.deepEqual(errors, {});
  assert.deepEqual(config, { ...defaultServingConfig(), domain: { domains: [{ domain: "localhost", selector: {}, wildcard: true }] } });
});

test("a bad map leaves what was there before and is reported", () => {
  const before = parseServingConfig({ "config-gc": { "min-non-active-revisions": "3" } }).config;
  const { config, errors } = parseServingConfig({ "config-gc": { "min-non-active-revisions": "x" } }, before);
  assert.equal(config.gc.minNonActiveRevisions, 3);
  assert.deepEqual(Object.keys(errors), ["config-gc"]);
});

test("a map without Knative's labels is nobody's business", () => {
  const map = born.find(({ metadata }) => metadata.name === "config-gc") as ConfigMapObject;
  const broken = { ...map, data: { "min-non-active-revisions": "x" } };
  assert.match(admit(broken), /^admission webhook "config\.webhook\.serving\.knative\.dev" denied the request: validation failed: /);
  assert.equal(admit({ ...broken, metadata: { ...map.metadata, labels: {} } }), "");
});

test("an example may be edited once its checksum is gone", () => {
  const map = born.find(({ metadata }) => metadata.name === "config-gc") as ConfigMapObject;
  const edited = { ...map, data: { _example: "other" } };
  assert.match(admit(edited), /"_example"/);
  const { [EXAMPLE_CHECKSUM]: _, ...annotations } = map.metadata.annotations ?? {};
  assert.equal(admit({ ...edited, metadata: { ...map.metadata, annotations } }), "");
});

test("hosts and tags follow their templates", () => {
  const config = parseNetworkConfig({
    "domain-template": '{{.Name}}-{{index .Annotations "team"}}.{{.Labels.stage}}.{{.Domain}}',
    "tag-template": "{{.Name}}-{{.Tag}}",
  }) as NetworkConfig;
  const of = { name: "hello", namespace: "default", domain: "example.com", annotations: { team: "red" }, labels: { stage: "dev" } };
  assert.equal(hostFor(config, of), "hello-red.dev.example.com");
  assert.equal(tagNameFor(config, { name: "hello", tag: "blue" }), "hello-blue");
});

test("container names follow their template", () => {
  const config = parseDefaultsConfig({ "container-name-template": "{{.Name}}-main" }) as DefaultsConfig;
  assert.equal(containerNameFor(config.containerNameTemplate, { name: "hello" }), "hello-main");
});

test("the most specific domain wins, cluster-local objects have none", () => {
  const config = parseDomainConfig({ "a.com": "", "b.com": "selector:\n  app: x", "c.com": "selector:\n  app: x\n  tier: y" }) as DomainConfig;
  assert.equal(domainFor(config, undefined), "a.com");
  assert.equal(domainFor(config, { app: "x" }), "b.com");
  assert.equal(domainFor(config, { app: "x", tier: "y" }), "c.com");
  assert.equal(domainFor(config, { "networking.knative.dev/visibility": "cluster-local" }), "svc.cluster.local");
  assert.equal(domainFor({ domains: [] }, undefined), "svc.cluster.local");
});
