// Every kind is described, and every field that a person meets first; nothing is described that is not there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { definitionName, openApiV3, type Descriptions, type Kind } from "#schema";
import * as kinds from "../index.ts";
import { descriptions } from "./index.ts";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly allOf?: readonly { readonly $ref: string }[];
  readonly $ref?: string;
}

const isKind = (value: unknown): value is Kind => typeof value === "object" && value !== null && "plural" in value && "schema" in value;
const all = (Object.values(kinds) as unknown[]).filter(isKind);

function schemasWith(texts: Descriptions): Readonly<Record<string, Schema>> {
  const served = all.map((kind) => ({ kind, verbs: ["get"], subresources: [] }));
  const document = JSON.parse([...openApiV3(served, { version: "", descriptions: texts })].join("")) as { components: { schemas: Record<string, Schema> } };
  return document.components.schemas;
}

/** Kinds, their first-level fields, and those of spec and status, that nobody has described. */
function mute(schemas: Readonly<Record<string, Schema>>): string[] {
  const at = (schema: Schema | undefined): Schema => {
    const ref = schema?.allOf?.[0]?.$ref ?? schema?.$ref;
    return (ref === undefined ? schema : schemas[ref.slice(ref.lastIndexOf("/") + 1)]) ?? {};
  };
  return all.flatMap((kind) => {
    const name = definitionName(kind);
    const root = schemas[name] ?? {};
    const first = Object.entries(root.properties ?? {});
    const second = first
      .filter(([part]) => part === "spec" || part === "status")
      .flatMap(([part, schema]) => Object.entries(at(schema).properties ?? {}).map(([field, one]) => [`${part}.${field}`, one] as const));
    return [["", root] as const, ...first, ...second].filter(([, schema]) => (schema.description ?? "") === "").map(([path]) => `${name} ${path}`);
  });
}

/** Fields at any depth: described ones and all. */
function count(schemas: Readonly<Record<string, Schema>>): { readonly described: number; readonly all: number } {
  let described = 0;
  let total = 0;
  const walk = (schema: Schema): void => {
    for (const member of Object.values(schema.properties ?? {})) {
      total++;
      if ((member.description ?? "") !== "") described++;
      walk(member);
    }
    if (schema.items !== undefined) walk(schema.items);
    if (schema.additionalProperties !== undefined) walk(schema.additionalProperties);
  };
  Object.values(schemas).forEach(walk);
  return { described, all: total };
}

test("every kind, its fields, and those of its spec and status are described", () => {
  assert.deepEqual(mute(schemasWith(descriptions)), []);
});

test("a kind that nobody has described is found", () => {
  const { "io.k8s.api.core.v1.Pod": _, ...rest } = descriptions;
  assert.deepEqual(mute(schemasWith(rest)), ["io.k8s.api.core.v1.Pod ", "io.k8s.api.core.v1.Pod spec", "io.k8s.api.core.v1.Pod status"]);
});

test("most fields at any depth are described", () => {
  const { described, all: total } = count(schemasWith(descriptions));
  assert.ok(described / total > 0.6, `${described} of ${total}`);
});

test("no description is of something that is not there", () => {
  const schemas = schemasWith({});
  const fields = (schema: Schema, prefix: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      return [path, ...fields(member, path), ...fields(member.items ?? {}, path), ...fields(member.additionalProperties ?? {}, path)];
    });
  const wrong = Object.entries(descriptions).flatMap(([definition, texts]) => {
    const schema = schemas[definition];
    if (schema === undefined) return [definition];
    const there = new Set(["", ...fields(schema, "")]);
    // Knative takes some fields of pods only with a feature, and not at all depths: these texts are shared with pods.
    return definition.startsWith("dev.knative.")
      ? []
      : Object.keys(texts)
          .filter((path) => !there.has(path))
          .map((path) => `${definition} ${path}`);
  });
  assert.deepEqual(wrong, []);
});
