// Tests of the defaults that Kubernetes fills in deep inside of volumes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze } from "#schema";
import { podSpecDefaults } from "./pod-defaults.ts";
import type { Volume } from "./v1.types.ts";

const containers = [{ name: "c", image: "x:1" }];
const given = { path: "labels", fieldRef: { fieldPath: "metadata.labels" } };
const filled = { path: "labels", fieldRef: { apiVersion: "v1", fieldPath: "metadata.labels" } };
const resource = { path: "cpu", resourceFieldRef: { resource: "limits.cpu" } };

const table: { readonly name: string; readonly volume: Volume; readonly want: Volume }[] = [
  { name: "a volume without a source is empty", volume: { name: "v" }, want: { name: "v", emptyDir: {} } },
  {
    name: "a field of a downward volume is one of version v1",
    volume: { name: "v", downwardAPI: { items: [given, resource] } },
    want: { name: "v", downwardAPI: { defaultMode: 0o644, items: [filled, resource] } },
  },
  {
    name: "a field of a projected downward source is one of version v1",
    volume: { name: "v", projected: { sources: [{ downwardAPI: { items: [given] } }, { downwardAPI: {} }] } },
    want: { name: "v", projected: { defaultMode: 0o644, sources: [{ downwardAPI: { items: [filled] } }, { downwardAPI: {} }] } },
  },
];
for (const { name, volume, want } of table) {
  test(`podSpecDefaults: ${name}`, () => {
    const spec = podSpecDefaults(deepFreeze({ containers, volumes: [volume] }));
    assert.deepEqual(spec.volumes, [want]);
    assert.equal(podSpecDefaults(spec), spec, "nothing is left to fill in");
  });
}
