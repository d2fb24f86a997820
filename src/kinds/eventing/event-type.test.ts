// EventTypes through their versions: what was written in one is there in the others, and comes back whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#schema";
import { eventTypeFromV1Beta2, eventTypeToV1Beta2 } from "./event-type-conversion.ts";
import { olderEventTypes } from "./event-type.ts";

const object = (spec: object, annotations?: Readonly<Record<string, string>>): KubeObject =>
  ({
    apiVersion: "",
    kind: "EventType",
    metadata: { name: "e", namespace: "n", ...(annotations === undefined ? {} : { annotations }) },
    spec,
  }) as unknown as KubeObject;

const required = (name: string, value?: string): object => ({ name, required: true, ...(value === undefined ? {} : { value }) });
const STANDARD = [required("specversion"), required("id"), required("type", "t"), required("source", "/s")];

test("an older EventType is stored with all that it says, and shown as it was written", () => {
  const spec = { description: "d", schema: "http://x/y", schemaData: "{}", source: "/s", type: "t" };
  const stored = eventTypeFromV1Beta2(object(spec));
  assert.deepEqual(stored.spec, { description: "d", attributes: [...STANDARD, { name: "schemadata", required: false, value: "http://x/y" }] });
  const shown = eventTypeToV1Beta2(stored);
  assert.deepEqual(shown.spec, spec);
  assert.equal(shown.metadata.annotations, undefined);
});

test("the name of a Broker becomes a reference to it", () => {
  assert.deepEqual(eventTypeFromV1Beta2(object({ broker: "b", type: "t" })).spec?.reference, {
    apiVersion: "eventing.knative.dev/v1",
    kind: "Broker",
    name: "b",
    namespace: "n",
  });
});

test("attributes that the older version cannot say outlive a change by its clients", () => {
  const attributes = [...STANDARD.slice(0, 3), { name: "source", required: false, value: "/s" }, required("tenant", "{who}")];
  const shown = eventTypeToV1Beta2(object({ attributes }));
  assert.deepEqual(shown.spec, { source: "/s", type: "t" });
  const changed = eventTypeFromV1Beta2({ ...shown, spec: { ...shown.spec, description: "new" } });
  assert.deepEqual(changed.spec, { description: "new", attributes });
  assert.equal(changed.metadata.annotations, undefined);
  const spoilt = eventTypeFromV1Beta2(object({ type: "t" }, { "eider.dev/event-attributes": "[" }));
  assert.equal(spoilt.spec?.attributes?.length, 4);
});

test("texts of the store name the version that they are read in, and are stored in one", () => {
  const [v1beta2] = olderEventTypes;
  const text = v1beta2?.stored.write(JSON.stringify({ ...object({ type: "t", source: "/s" }), apiVersion: "eventing.knative.dev/v1beta2" })) ?? "";
  assert.equal((JSON.parse(text) as KubeObject).apiVersion, "eventing.knative.dev/v1beta3");
  assert.equal(text.startsWith('{"apiVersion":'), true);
  const [back = ""] = v1beta2?.stored.read([text]) ?? [];
  assert.deepEqual(JSON.parse(back), { ...object({ source: "/s", type: "t" }), apiVersion: "eventing.knative.dev/v1beta2" });
});
