// OpenAPI v3 documents of kinds: what kubectl needs to validate, to edit and to explain.
import { apiVersionOf, type Kind } from "./kind.ts";
import { objectMeta } from "./metadata-schema.ts";
import type { Node } from "./node.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

type Json = Record<string, unknown>;

const refTo = (name: string): string => `#/components/schemas/${name}`;

/** The node as OpenAPI writes it; names of types that it refers to go to `used`. */
function schemaOf(node: Node, used: Set<string>): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "$ref" || key === "properties" || key === "items" || key === "additionalProperties" || key.startsWith("x-eider-")) continue;
    out[key] = value;
  }
  if (node.$ref !== undefined) {
    used.add(node.$ref);
    out["allOf"] = [{ $ref: refTo(node.$ref) }];
  }
  if (node.properties !== undefined)
    out["properties"] = Object.fromEntries(Object.entries(node.properties).map(([name, child]) => [name, schemaOf(child, used)]));
  if (node.items !== undefined) out["items"] = schemaOf(node.items, used);
  if (node.additionalProperties !== undefined) out["additionalProperties"] = schemaOf(node.additionalProperties, used);
  if (node["x-kubernetes-int-or-string"] === true) out["oneOf"] = [{ type: "integer" }, { type: "string" }];
  return out;
}

/** `dev.knative.serving.v1.Route`: the group backwards, the version, the kind. */
function nameOf(kind: Kind): string {
  const domain = kind.group === "" ? ["core", "api", "k8s", "io"] : kind.group.includes(".") ? kind.group.split(".") : [kind.group, "api", "k8s", "io"];
  return [...domain.toReversed(), kind.version, kind.kind].join(".");
}

function rootOf(kind: Kind, used: Set<string>): Json {
  used.add(META);
  const body = schemaOf(kind.schema, used);
  return {
    ...body,
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { allOf: [{ $ref: refTo(META) }] },
      ...(body["properties"] as Json | undefined),
    },
    "x-kubernetes-group-version-kind": [{ group: kind.group, kind: kind.kind, version: kind.version }],
  };
}

const QUERY = ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
  name,
  in: "query",
  schema: { type: name === "force" ? "boolean" : "string", uniqueItems: true },
}));

const PATCH_TYPES = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];

function pathOf(kind: Kind): [string, Json] {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  const namespaced = kind.scope === "Namespaced";
  const gvk = { group: kind.group, kind: kind.kind, version: kind.version };
  const types = kind.custom ? PATCH_TYPES : [...PATCH_TYPES, "application/strategic-merge-patch+json"];
  const responses = { "200": { description: "OK", content: { "application/json": { schema: { $ref: refTo(nameOf(kind)) } } } } };
  const inPath = (name: string): Json => ({ name, in: "path", required: true, schema: { type: "string", uniqueItems: true } });
  const patchBody = { required: true, content: Object.fromEntries(types.map((type) => [type, { schema: { type: "object" } }])) };
  return [
    `${base}${namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}/{name}`,
    {
      parameters: [inPath("name"), ...(namespaced ? [inPath("namespace")] : [])],
      get: { operationId: `read${kind.kind}`, responses, "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": gvk },
      patch: {
        operationId: `patch${kind.kind}`,
        parameters: QUERY,
        requestBody: patchBody,
        responses,
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": gvk,
      },
    },
  ];
}

/** The document of one group and version; `kinds` are all its kinds. */
export function openApiDocument(kinds: readonly Kind[], version: string): Json {
  const used = new Set<string>();
  const schemas: Json = Object.fromEntries(kinds.map((kind) => [nameOf(kind), rootOf(kind, used)]));
  const definitions: Readonly<Record<string, Node>> = Object.assign({ [META]: objectMeta }, ...kinds.map((kind) => kind.definitions ?? {})) as Record<
    string,
    Node
  >;
  // A Set that grows while it is walked: types that types refer to come in, too.
  for (const name of used) {
    const node = name === META ? objectMeta : definitions[name];
    if (node !== undefined) schemas[name] ??= schemaOf(node, used);
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version },
    paths: Object.fromEntries(kinds.map(pathOf)),
    components: { schemas },
  };
}
