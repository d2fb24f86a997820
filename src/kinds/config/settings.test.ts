// Settings beside the autoscaler's: what the maps that we are born with say, templates, domains.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { configMapAdmission } from "./admission.ts";
import { defaultConfigMaps, EXAMPLE_CHECKSUM, type ConfigMapObject } from "./default-config-maps.ts";
import { containerNameFor, parseDefaultsConfig, type DefaultsConfig } from "./defaults.ts";
import { domainFor, parseDomainConfig, type DomainConfig } from "./domain.ts";
import { parseEiderGatewayConfig } from "./eider-gateway.ts";
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

const GATEWAY = { trustedProxies: ["0.0.0.0/0", "::/0"], proxyProtocol: "off", bodyIdleMs: 0, connectionsMax: 50_000 };
const gatewayRows: readonly { readonly name: string; readonly data: Record<string, string>; readonly want: object | string }[] = [
  { name: "nothing said", data: {}, want: GATEWAY },
  {
    name: "proxies by address and range",
    data: { "trusted-proxies": "10.0.0.0/8, ::1 ,192.168.0.1" },
    want: { ...GATEWAY, trustedProxies: ["10.0.0.0/8", "::1", "192.168.0.1"] },
  },
  { name: "nobody is trusted", data: { "trusted-proxies": "" }, want: { ...GATEWAY, trustedProxies: [] } },
  {
    name: "a name instead of an address",
    data: { "trusted-proxies": "proxy.test" },
    want: 'failed to parse "trusted-proxies": "proxy.test" is no address range',
  },
  { name: "too many bits", data: { "trusted-proxies": "10.0.0.0/33" }, want: 'failed to parse "trusted-proxies": "10.0.0.0/33" is no address range' },
  { name: "a required PROXY header", data: { "proxy-protocol": "required" }, want: { ...GATEWAY, proxyProtocol: "required" } },
  { name: "an optional one", data: { "proxy-protocol": "optional" }, want: 'proxy-protocol = optional, must be "off" or "required"' },
  { name: "a limit for stalled bodies", data: { "request-body-idle-timeout": "90s" }, want: { ...GATEWAY, bodyIdleMs: 90_000 } },
  { name: "one that is too short", data: { "request-body-idle-timeout": "10ms" }, want: "request-body-idle-timeout = 10 ms, must be 0 or at least 1s" },
  { name: "no connections", data: { "connections-max": "0" }, want: "connections-max = 0, must be at least 1" },
];
for (const { name, data, want } of gatewayRows) {
  test(`config-eider-gateway: ${name}`, () => {
    const parsed = parseEiderGatewayConfig(data);
    if (typeof want === "string") return assert.deepEqual(parsed, { error: want });
    // Others add settings of their own.
    assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, (parsed as unknown as Record<string, unknown>)[key]])), want);
  });
}

test("our own map is checked without Knative's labels, in its namespace", () => {
  const map = (namespace: string) =>
    ({ metadata: { name: "config-eider-gateway", namespace }, data: { "proxy-protocol": "optional" } }) as unknown as ConfigMapObject;
  assert.match(admit(map("knative-serving")), /validation failed: proxy-protocol = optional/);
  assert.equal(admit(map("default")), "");
});
