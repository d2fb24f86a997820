// The OpenAPI documents: whole, with every reference resolved, the same in all encodings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineKind } from "../define-kind.ts";
import { s } from "../dsl.ts";
import type { Kind } from "../kind.ts";
import { openApiV2, openApiV2Protobuf } from "./document-v2.ts";
import { openApiV3 } from "./document-v3.ts";
import type { ServedPaths } from "./operations.ts";

const Thing: Kind = defineKind({
  group: "g.dev",
  version: "v1",
  kind: "Thing",
  plural: "things",
  spec: s.object({
    size: s.optional(s.int32()),
    port: s.optional(s.intOrString()),
    parts: s.optional(s.list(s.object({ name: s.string() }), { keyedBy: ["name"] })),
  }),
  status: s.object({ at: s.optional(s.time()) }),
}) as unknown as Kind;
const text = { type: "string" } as const;
const Box: Kind = {
  group: "",
  version: "v1",
  kind: "Box",
  plural: "boxes",
  singular: "box",
  shortNames: [],
  categories: [],
  scope: "Cluster",
  subresources: {},
  columns: [],
  custom: false,
  hasGeneration: false,
  schema: {
    type: "object",
    properties: {
      lid: { $ref: "io.k8s.api.core.v1.Lid" },
      sizes: { type: "object", additionalProperties: { "x-kubernetes-int-or-string": true, format: "quantity" } },
      made: { ...text, format: "date-time" },
    },
  },
  definitions: {
    "io.k8s.api.core.v1.Lid": { type: "object", properties: { colour: { ...text, "x-eider-zero": "keep" }, notes: { type: "array", items: text } } },
  },
};
const ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const scale = { name: "scale", verbs: ["get", "patch", "update"], kind: { group: "autoscaling", version: "v1", kind: "Scale" } };
const served: ServedPaths[] = [
  { kind: Thing, verbs: ALL, subresources: [{ name: "status", verbs: ["get", "patch", "update"] }] },
  { kind: Box, verbs: ALL, subresources: [scale, { name: "log", verbs: ["get"], kind: { group: "", version: "", kind: "Box" } }] },
];
const info = {
  version: "v1.34.4",
  descriptions: {
    "io.k8s.api.core.v1.Box": { "": "Holds things.", "lid.colour": "never asked" },
    "io.k8s.api.core.v1.Lid": { colour: "Any colour.", notes: "Notes." },
  },
};

interface Document {
  readonly paths: Record<string, Record<string, { parameters?: { name: string }[]; operationId: string }>>;
  readonly components: { readonly schemas: Record<string, Record<string, unknown>> };
  readonly definitions: Record<string, { description?: string; properties?: Record<string, Record<string, unknown>> }>;
}

const v3 = JSON.parse([...openApiV3(served, info)].join("")) as Document;
const v2 = JSON.parse([...openApiV2(served, info)].join("")) as Document;

function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => (key === "$ref" && typeof member === "string" ? [member] : references(member)));
}

test("every reference leads to a schema, in both versions", () => {
  for (const ref of references(v3)) assert.ok(v3.components.schemas[ref.replace("#/components/schemas/", "")], ref);
  for (const ref of references(v2)) assert.ok(v2.definitions[ref.replace("#/definitions/", "")], ref);
  assert.deepEqual(Object.keys(v3.components.schemas).sort(), Object.keys(v2.definitions).sort());
});

test("clients see that fields are checked by the server, and which verbs a kind has", () => {
  const path = v3.paths["/apis/g.dev/v1/namespaces/{namespace}/things/{name}"];
  assert.ok(path?.["patch"]?.parameters?.some(({ name }) => name === "fieldValidation"));
  assert.deepEqual(
    Object.values(v3.paths)
      .flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
      .filter((id) => id?.includes("Thing")),
    [
      "listGDevV1NamespacedThing",
      "createGDevV1NamespacedThing",
      "deleteGDevV1CollectionNamespacedThing",
      "readGDevV1NamespacedThing",
      "replaceGDevV1NamespacedThing",
      "deleteGDevV1NamespacedThing",
      "patchGDevV1NamespacedThing",
      "readGDevV1NamespacedThingStatus",
      "replaceGDevV1NamespacedThingStatus",
      "patchGDevV1NamespacedThingStatus",
      "listGDevV1ThingForAllNamespaces",
    ],
  );
  assert.ok(v3.paths["/api/v1/boxes/{name}/scale"]?.["patch"]);
  assert.equal(v3.paths["/api/v1/namespaces/{namespace}/boxes"], undefined);
});

test("built-in types are named as Kubernetes names them and have Go's defaults; custom ones are written in place", () => {
  const { schemas } = v3.components;
  assert.deepEqual(schemas["io.k8s.api.core.v1.Lid"], {
    type: "object",
    properties: {
      colour: { description: "Any colour.", type: "string", default: "" },
      notes: { description: "Notes.", type: "array", items: { type: "string", default: "" } },
    },
  });
  const { properties, description } = schemas["io.k8s.api.core.v1.Box"] as { properties: Record<string, unknown>; description: string };
  assert.equal(description, "Holds things.");
  assert.deepEqual(properties["lid"], { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Lid" }] });
  assert.deepEqual(properties["sizes"], {
    type: "object",
    additionalProperties: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity" },
  });
  const thing = schemas["dev.g.v1.Thing"] as { properties: { spec: { properties: Record<string, unknown> }; status: { properties: object } } };
  assert.deepEqual(thing.properties.spec.properties["port"], { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] });
  assert.deepEqual(thing.properties.spec.properties["parts"], {
    type: "array",
    items: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
  });
  assert.deepEqual(v2.definitions["io.k8s.api.core.v1.Box"]?.properties?.["lid"], { $ref: "#/definitions/io.k8s.api.core.v1.Lid" });
});

/** Fields of a message by number, each as bytes or number. */
function fields(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const out = new Map<number, (Uint8Array | number)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const list = out.get(tag >> 3) ?? [];
    out.set(tag >> 3, list);
    if ((tag & 7) === 0) list.push(varint());
    else if ((tag & 7) === 1) list.push(bytes.subarray(at, (at += 8)));
    else {
      const length = varint();
      list.push(bytes.subarray(at, (at += length)));
    }
  }
  return out;
}
const one = (bytes: Uint8Array, number: number): Uint8Array => fields(bytes).get(number)?.[0] as Uint8Array;
const string = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

test("version 2 tells nothing of custom objects that keep unknown fields", () => {
  const Open: Kind = {
    ...Thing,
    schema: { type: "object", properties: { spec: { type: "object", properties: { a: text }, "x-kubernetes-preserve-unknown-fields": true } } },
  };
  const paths = [{ kind: Open, verbs: ALL, subresources: [] }];
  const old = JSON.parse([...openApiV2(paths, info)].join("")) as Document;
  assert.deepEqual(old.definitions["dev.g.v1.Thing"]?.properties?.["spec"], { "x-kubernetes-preserve-unknown-fields": true });
  const now = JSON.parse([...openApiV3(paths, info)].join("")) as Document;
  const { properties } = now.components.schemas["dev.g.v1.Thing"] as { properties: Record<string, { properties: object }> };
  assert.deepEqual(properties["spec"]?.properties, { a: { type: "string" } });
});

test("the protobuf form says what the JSON says: the same paths, definitions, texts, references and marks", () => {
  const document = fields(Buffer.concat([...openApiV2Protobuf(served, info)]));
  assert.equal(string(document.get(1)?.[0] as Uint8Array), "2.0");
  const paths = (document.get(8) as Uint8Array[]).map((part) => string(one(one(part, 2), 1)));
  assert.deepEqual(paths, Object.keys(v2.paths));
  const definitions = new Map((document.get(9) as Uint8Array[]).map((part) => [string(one(one(part, 1), 1)), one(one(part, 1), 2)]));
  assert.deepEqual([...definitions.keys()], Object.keys(v2.definitions));
  const box = definitions.get("io.k8s.api.core.v1.Box") as Uint8Array;
  assert.equal(string(one(box, 4)), "Holds things.");
  const members = new Map((fields(one(box, 25)).get(1) as Uint8Array[]).map((part) => [string(one(part, 1)), one(part, 2)]));
  assert.equal(string(one(members.get("lid") as Uint8Array, 1)), "#/definitions/io.k8s.api.core.v1.Lid");
  assert.equal(string(one(one(members.get("sizes") as Uint8Array, 22), 1)), "object");
  const extension = one(box, 31);
  assert.deepEqual(
    [string(one(extension, 1)), JSON.parse(string(one(one(extension, 2), 2)))],
    ["x-kubernetes-group-version-kind", [{ group: "", kind: "Box", version: "v1" }]],
  );
  assert.equal(string(one(one(one(definitions.get("dev.g.v1.Thing") as Uint8Array, 31), 2), 2)).includes("Thing"), true);
});
