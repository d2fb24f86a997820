import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultServingConfig, parseServingConfig } from "#kinds";
import { gatewaySettings } from "./gateway-settings.ts";

function settingsOf(maps: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const { config, errors } = parseServingConfig(maps);
  return { ...gatewaySettings(config), errors: Object.values(errors) };
}

test("by default nothing is logged and nothing traced", () => {
  const { accessLog, tracing, requestLog } = gatewaySettings(defaultServingConfig());
  assert.deepEqual([accessLog, tracing, requestLog], [undefined, undefined, undefined]);
});

const logs = [
  { name: "a file", given: { "access-log": "access.log" }, want: { file: "access.log", format: "json" } },
  { name: "the output", given: { "access-log": "stdout", "access-log-format": "common" }, want: { file: "stdout", format: "common" } },
  { name: "off", given: { "access-log": "off" }, want: undefined },
];
for (const { name, given, want } of logs) {
  test(`access log: ${name}`, () => assert.deepEqual(settingsOf({ "config-eider-gateway": given }).accessLog, want));
}

for (const file of ["/etc/cron.d/x", "../run/state.json", "a/b", "platform.log", "requests.log.1", ".hidden", "", "x".repeat(101), "a\nb"]) {
  test(`access log: ${JSON.stringify(file)} is refused`, () => {
    const { accessLog, errors } = settingsOf({ "config-eider-gateway": { "access-log": file } });
    assert.equal(accessLog, undefined);
    assert.match(errors[0] ?? "", /^access-log must be off, stdout or the name of a file in the log folder/);
  });
}

const tracings = [
  { name: "the rate", given: { "tracing-protocol": "http/protobuf", "tracing-sampling-rate": "0.25" }, want: { rate: 0.25 } },
  { name: "no rate is none, as in Knative", given: { "tracing-protocol": "grpc" }, want: undefined },
  { name: "all that is printed", given: { "tracing-protocol": "stdout", "tracing-sampling-rate": "0" }, want: { rate: 1 } },
  { name: "a rate without a protocol", given: { "tracing-protocol": "none", "tracing-sampling-rate": "1" }, want: undefined },
];
for (const { name, given, want } of tracings) {
  const endpoint = given["tracing-protocol"] === "grpc" || given["tracing-protocol"] === "http/protobuf" ? { "tracing-endpoint": "http://collector" } : {};
  test(`tracing: ${name}`, () => assert.deepEqual(settingsOf({ "config-observability": { ...given, ...endpoint } }).tracing, want));
}
