// Tests of versions that share what is stored, and of definitions of our own kinds as Kubernetes checks them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdFor, defineKind, ownEngines, s, type Kind } from "#schema";
import * as kinds from "../index.ts";
import { byVersion } from "./custom-kinds.ts";
import { olderVersion } from "./stored-versions.ts";
import { definitionErrors } from "./validation.ts";
import type { CustomResourceDefinition } from "./v1.types.ts";

const definition = { group: "g.dev", kind: "Thing", plural: "things" } as const;
const Stored = defineKind({ ...definition, version: "v1", spec: s.object({ size: s.optional(s.int32()) }) });
const Older = defineKind({ ...definition, version: "v1beta1", spec: s.object({ size: s.optional(s.int32()), old: s.optional(s.string()) }) });

test("a kind of our own is served in an older version, too: its name is another, and what is stored is what both know", () => {
  const { stored } = olderVersion(Older as never, Stored as never);
  assert.ok(stored !== undefined);
  const text = '{"apiVersion":"g.dev/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":1}}';
  const [shown = ""] = stored.read([text]) as readonly string[];
  assert.deepEqual(JSON.parse(shown), { ...JSON.parse(text), apiVersion: "g.dev/v1beta1" });
  const written = stored.write?.('{"apiVersion":"g.dev/v1beta1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":2,"old":"x"}}') as string;
  assert.deepEqual(JSON.parse(written), { apiVersion: "g.dev/v1", kind: "Thing", metadata: { name: "a" }, spec: { size: 2 } });
  assert.deepEqual(stored.read([shown]), [shown], "a text of the version itself is left alone");
});

const own = (Object.values(kinds) as unknown[]).filter(
  (value): value is Kind => typeof value === "object" && value !== null && (value as { custom?: unknown }).custom === true,
);

test("the definitions of all our own kinds pass Kubernetes' checks, also with another version beside them", () => {
  assert.ok(own.length >= 10, `only ${own.length} kinds`);
  for (const kind of own) {
    const wanted = crdFor(kind, 0, [{ ...kind, version: "v1alpha9" }]) as unknown as CustomResourceDefinition;
    assert.deepEqual(definitionErrors(wanted, undefined, ownEngines), [], kind.plural);
  }
});

test("the check finds a planted fault in a definition of ours", () => {
  const [kind] = own;
  assert.ok(kind !== undefined);
  const broken = { ...kind, schema: { ...kind.schema, properties: { spec: { properties: {} } } } };
  const found = definitionErrors(crdFor(broken, 0) as unknown as CustomResourceDefinition, undefined, ownEngines);
  assert.match(found.map(({ message }) => message).join(), /must not be empty for specified object fields/);
});

test("versions are in Kubernetes' order", () => {
  const names = ["foo10", "v1alpha1", "v2", "v11beta2", "v10", "v1", "foo1", "v3beta1", "v12alpha1"];
  assert.deepEqual(names.toSorted(byVersion), ["v10", "v2", "v1", "v11beta2", "v3beta1", "v12alpha1", "v1alpha1", "foo1", "foo10"]);
});
