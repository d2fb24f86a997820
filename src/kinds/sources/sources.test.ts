// Checks of sources that no recording shows, and their older versions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import type { AdmissionRequest, Kind, KubeObject } from "#schema";
import { knativeAdmission } from "../admission.ts";
import { defaultServingConfig } from "../config/serving-config.ts";
import { parseEventingConfig } from "../eventing-config/eventing-config.ts";
import { ApiServerSource } from "./api-server-source.ts";
import { ContainerSource } from "./container-source.ts";
import { olderSources } from "./older-versions.ts";
import { PingSource } from "./ping-source.ts";
import { SinkBinding } from "./sink-binding.ts";

type Maps = Readonly<Record<string, Readonly<Record<string, string>>>>;
const sink = { uri: "http://sink.example.com" };

/** What is wrong with a spec; "" when nothing is. */
async function complaint<O extends KubeObject>(kind: Kind<O>, spec: object, maps: Maps = {}): Promise<string> {
  const { config } = parseEventingConfig(maps);
  const admit = knativeAdmission(kind, { config: defaultServingConfig, eventing: () => config, tryTemplate: async () => {} });
  const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: "x", namespace: "n" }, spec } as unknown as O;
  const request: AdmissionRequest<O> = { operation: "CREATE", subresource: "", user: { name: "u", groups: [] }, dryRun: false, object, old: undefined };
  try {
    await admit(request);
    return "";
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.message.replace(/^.*denied the request: (?:validation failed: )?/, "");
  }
}

test("PingSources: data, and how much of them", async () => {
  const limited: Maps = { "config-ping-defaults": { "data-max-size": "4" } };
  assert.equal(await complaint(PingSource, { sink, data: "12345" }, limited), "invalid value: the data length of 5 bytes exceeds limit set at 4.: spec.data");
  assert.equal(
    await complaint(PingSource, { sink, dataBase64: "MTIzNDU=" }, limited),
    "invalid value: the dataBase64 length of 8 bytes exceeds limit set at 4.: spec.dataBase64",
  );
  assert.equal(await complaint(PingSource, { sink, data: "1", dataBase64: "MQ==" }), "expected exactly one, got both: spec.data, spec.dataBase64");
  assert.equal(await complaint(PingSource, { sink, dataBase64: "MTI" }), "invalid value: illegal base64 data at input byte 0: spec.dataBase64");
  assert.equal(
    await complaint(PingSource, { sink, contentType: "application/json", dataBase64: "MQ==" }),
    "invalid value: json: cannot unmarshal number into Go value of type map[string]interface {}: spec.dataBase64",
  );
  assert.equal(await complaint(PingSource, { sink, contentType: "application/json", data: '{"a":1}', timezone: "Europe/Berlin" }), "");
});

test("ApiServerSources: filters are for those who switch them on", async () => {
  const spec = { sink, resources: [{ apiVersion: "v1", kind: "Event" }], filters: [{ exact: { Bad: "x" } }] };
  const maps: Maps = { "config-features": { "new-apiserversource-filters": "enabled" } };
  assert.match(await complaint(ApiServerSource, spec, maps), /^invalid key name "Bad": spec\.filters\[0\]\.exact\[Bad\]\n/);
  assert.equal(await complaint(ApiServerSource, { ...spec, filters: [{ cesql: "type = 'a'" }] }, maps), "");
  assert.equal(await complaint(ApiServerSource, { sink, resources: [{ kind: "A" }], owner: {}, mode: "Resource" }), "missing field(s): spec.owner.kind");
});

test("ContainerSources and SinkBindings: what they are made of", async () => {
  assert.match(await complaint(ContainerSource, { sink, template: { spec: { containers: "x" } } }), /cannot unmarshal string into Go struct field/);
  assert.match(await complaint(ContainerSource, { sink, template: { spec: { containers: ["x"] } } }), /cannot unmarshal string into Go struct field/);
  const subject = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
  assert.equal(
    await complaint(SinkBinding, { sink, subject: { ...subject, selector: {} } }),
    "expected exactly one, got both: spec.subject.name, spec.subject.selector",
  );
  assert.match(
    await complaint(SinkBinding, { sink, subject: { ...subject, kind: "9" } }),
    /^invalid value: a valid C identifier must start .*: spec\.subject\.kind$/,
  );
});

test("the older PingSource says its data otherwise, and loses nothing", () => {
  const old = olderSources.find(({ kind }) => kind.kind === "PingSource" && kind.version === "v1beta1");
  const through = (spec: object): { stored: unknown; shown: unknown } => {
    const stored = old?.stored.write(JSON.stringify({ apiVersion: "sources.knative.dev/v1beta1", kind: "PingSource", metadata: { name: "p" }, spec })) ?? "";
    const [shown = ""] = old?.stored.read([stored]) ?? [];
    return { stored: (JSON.parse(stored) as { spec: unknown }).spec, shown: (JSON.parse(shown) as { spec: unknown }).spec };
  };
  const json = { contentType: "application/json", data: '{"a":1}' };
  assert.deepEqual(through({ sink, jsonData: '{"a":1}' }), { stored: { sink, ...json }, shown: { sink, ...json, jsonData: '{"a":1}' } });
  assert.deepEqual(through({ sink, jsonData: "hello" }).stored, { sink, contentType: "application/json", data: '{"body":"hello"}' });
  const plain = { sink, contentType: "text/plain", data: "x" };
  assert.deepEqual(through(plain), { stored: plain, shown: plain });
});
