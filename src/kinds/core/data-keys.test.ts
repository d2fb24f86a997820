// Tests of keys and words that every JavaScript object has: they are ordinary text to Kubernetes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileKind, type Kind } from "#schema";
import { ConfigMap } from "./config-map.ts";
import { Secret } from "./secret.ts";

const KEYS = ["constructor", "toString", "__proto__"];

for (const { kind, of } of [
  { kind: ConfigMap as unknown as Kind, of: "a ConfigMap" },
  { kind: Secret as unknown as Kind, of: "a Secret" },
]) {
  for (const key of KEYS) {
    test(`${of} may have the key ${key}`, () => {
      const compiled = compileKind(kind);
      const json: unknown = JSON.parse(`{"metadata":{"name":"x","namespace":"d"},"data":{"${key}":"YQ=="}}`);
      const object = compiled.applyDefaults(compiled.decode(json, { fieldValidation: "Strict" }).object);
      assert.deepEqual(compiled.validate(object), []);
      assert.equal(JSON.stringify((object as { data?: object }).data), `{"${key}":"YQ=="}`);
    });
  }
}

for (const type of KEYS) {
  test(`a Secret may be of the type ${type}`, () => {
    const compiled = compileKind(Secret);
    const { object } = compiled.decode({ metadata: { name: "x", namespace: "d" }, type }, { fieldValidation: "Strict" });
    assert.deepEqual(compiled.validate(object), []);
  });
}
