// Writes the data and the TypeScript types of Kubernetes' own kinds from its published Go modules (facts only: names,
// types, protobuf numbers, list and patch keys, defaults; no descriptions).
// Usage: K8S_MODULES=$(go env GOMODCACHE) node scripts/import-kubernetes.ts
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const VERSION = "v0.34.4";

interface Source {
  /** Prefix of the names of definitions, as in Kubernetes' OpenAPI. */
  readonly prefix: string;
  /** The Go file below the module cache. */
  readonly file: string;
  /** Another file of the same package. */
  readonly and?: string;
}

interface Group {
  readonly folder: string;
  readonly name: string;
  readonly source: string;
  readonly roots: readonly string[];
}

const SOURCES: Readonly<Record<string, Source>> = {
  metav1: { prefix: "io.k8s.apimachinery.pkg.apis.meta.v1", file: `k8s.io/apimachinery@${VERSION}/pkg/apis/meta/v1/types.go` },
  v1: { prefix: "io.k8s.api.core.v1", file: `k8s.io/api@${VERSION}/core/v1/types.go` },
  apps: { prefix: "io.k8s.api.apps.v1", file: `k8s.io/api@${VERSION}/apps/v1/types.go` },
  discovery: { prefix: "io.k8s.api.discovery.v1", file: `k8s.io/api@${VERSION}/discovery/v1/types.go` },
  apiextensions: {
    prefix: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    file: `k8s.io/apiextensions-apiserver@${VERSION}/pkg/apis/apiextensions/v1/types.go`,
    and: `k8s.io/apiextensions-apiserver@${VERSION}/pkg/apis/apiextensions/v1/types_jsonschema.go`,
  },
  autoscaling: { prefix: "io.k8s.api.autoscaling.v2", file: `k8s.io/api@${VERSION}/autoscaling/v2/types.go` },
  autoscalingv1: { prefix: "io.k8s.api.autoscaling.v1", file: `k8s.io/api@${VERSION}/autoscaling/v1/types.go` },
  storage: { prefix: "io.k8s.api.storage.v1", file: `k8s.io/api@${VERSION}/storage/v1/types.go` },
  metrics: { prefix: "io.k8s.metrics.pkg.apis.metrics.v1beta1", file: `k8s.io/metrics@${VERSION}/pkg/apis/metrics/v1beta1/types.go` },
  authentication: { prefix: "io.k8s.api.authentication.v1", file: `k8s.io/api@${VERSION}/authentication/v1/types.go` },
  authorization: { prefix: "io.k8s.api.authorization.v1", file: `k8s.io/api@${VERSION}/authorization/v1/types.go` },
  coordination: { prefix: "io.k8s.api.coordination.v1", file: `k8s.io/api@${VERSION}/coordination/v1/types.go` },
};

const GROUPS: readonly Group[] = [
  { folder: "core", name: "meta", source: "metav1", roots: ["ObjectMeta", "LabelSelector"] },
  {
    folder: "core",
    name: "v1",
    source: "v1",
    roots: ["Namespace", "Pod", "Service", "Endpoints", "ConfigMap", "Secret", "ServiceAccount", "Event", "Node", "PersistentVolume", "PersistentVolumeClaim"],
  },
  { folder: "apps", name: "v1", source: "apps", roots: ["Deployment", "ReplicaSet"] },
  { folder: "discovery", name: "v1", source: "discovery", roots: ["EndpointSlice"] },
  { folder: "autoscaling", name: "v2", source: "autoscaling", roots: ["HorizontalPodAutoscaler"] },
  { folder: "autoscaling", name: "v1", source: "autoscalingv1", roots: ["HorizontalPodAutoscaler"] },
  { folder: "storage", name: "v1", source: "storage", roots: ["StorageClass"] },
  { folder: "metrics", name: "v1beta1", source: "metrics", roots: ["PodMetrics", "NodeMetrics"] },
  { folder: "coordination", name: "v1", source: "coordination", roots: ["Lease"] },
  { folder: "authentication", name: "v1", source: "authentication", roots: ["SelfSubjectReview"] },
  {
    folder: "authorization",
    name: "v1",
    source: "authorization",
    roots: ["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview", "LocalSubjectAccessReview"],
  },
  { folder: "apiextensions", name: "v1", source: "apiextensions", roots: ["CustomResourceDefinition"] },
];

/** Kinds whose `spec` our own code may rely on. */
const SPEC_EXPECTED = new Set(["PersistentVolume", "PersistentVolumeClaim", "Pod", "Service", "Deployment", "ReplicaSet", "HorizontalPodAutoscaler"]);

interface Field {
  readonly json: string;
  readonly goType: string;
  readonly inline: boolean;
  readonly omitempty: boolean;
  readonly omitzero: boolean;
  readonly proto: number | undefined;
  readonly patchStrategy: string | undefined;
  readonly patchMergeKey: string | undefined;
  readonly markers: readonly string[];
}

interface GoFile {
  readonly structs: ReadonlyMap<string, readonly Field[]>;
  /** `type Protocol string` and the like, also maps. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Values of the aliases that are marked `+enum`. */
  readonly enums: ReadonlyMap<string, readonly string[]>;
  /** Structs marked `+structType=atomic`. */
  readonly atomic: ReadonlySet<string>;
}

const tagOf = (tags: string, key: string): string | undefined => new RegExp(`${key}:"([^"]*)"`).exec(tags)?.[1];

function parseField(line: string, markers: readonly string[]): Field | undefined {
  const match = /^\t(?:(\w+)\s+)?([\w.*[\]]+)\s+`(.*)`/.exec(line);
  const [, , goType = "", tags = ""] = match ?? [];
  const json = tagOf(tags, "json")?.split(",");
  if (json === undefined || json[0] === "-") return undefined;
  const proto = tagOf(tags, "protobuf")?.split(",")[1];
  return {
    json: json[0] ?? "",
    goType,
    inline: json.includes("inline"),
    omitempty: json.includes("omitempty"),
    omitzero: json.includes("omitzero"),
    proto: proto === undefined ? undefined : Number(proto),
    patchStrategy: tagOf(tags, "patchStrategy"),
    patchMergeKey: tagOf(tags, "patchMergeKey"),
    markers,
  };
}

function parseGo(text: string): GoFile {
  const structs = new Map<string, Field[]>();
  const aliases = new Map<string, string>();
  const enums = new Map<string, string[]>();
  const atomic = new Set<string>();
  let current: Field[] | undefined;
  let markers: string[] = [];
  for (const line of text.split("\n")) {
    const marker = /^\s*\/\/ ?\+(\S+)/.exec(line);
    const struct = /^type (\w+) struct \{/.exec(line);
    const alias = /^type (\w+) (\S+)$/.exec(line);
    const value = /^\t\w+\s+(\w+)\s*=\s*"([^"]*)"/.exec(line);
    if (value?.[1] !== undefined && value[2] !== undefined) enums.get(value[1])?.push(value[2]);
    if (marker?.[1] !== undefined) {
      markers.push(marker[1]);
    } else if (struct?.[1] !== undefined) {
      current = [];
      structs.set(struct[1], current);
      if (markers.includes("structType=atomic") || markers.includes("mapType=atomic")) atomic.add(struct[1]);
      markers = [];
    } else if (line === "}") {
      current = undefined;
    } else if (alias?.[1] !== undefined && alias[2] !== undefined) {
      aliases.set(alias[1], alias[2]);
      if (markers.includes("enum")) enums.set(alias[1], []);
      markers = [];
    } else if (current !== undefined && !/^\s*(\/\/|$)/.test(line)) {
      const field = parseField(line, markers);
      if (field !== undefined) current.push(field);
      markers = [];
    } else if (/^\s*$/.test(line) && current === undefined) {
      markers = [];
    }
  }
  return { structs, aliases, enums, atomic };
}

type Data = Record<string, unknown>;

/** What a Go type is in JSON: its node, its TypeScript type, and whether Go's `omitempty` can leave it out. */
interface Shape {
  readonly node: Data;
  readonly type: string;
  readonly kind: "pointer" | "struct" | "value" | "opaque";
}

const SCALARS: Readonly<Record<string, Shape>> = {
  string: { node: { type: "string" }, type: "string", kind: "value" },
  bool: { node: { type: "boolean" }, type: "boolean", kind: "value" },
  int32: { node: { type: "integer", format: "int32" }, type: "number", kind: "value" },
  int64: { node: { type: "integer", format: "int64" }, type: "number", kind: "value" },
  float64: { node: { type: "number", format: "double" }, type: "number", kind: "value" },
  "[]byte": { node: { type: "string", format: "byte" }, type: "string", kind: "value" },
  "types.UID": { node: { type: "string" }, type: "string", kind: "value" },
  "types.NodeName": { node: { type: "string" }, type: "string", kind: "value" },
  "struct{}": { node: { type: "object" }, type: "Record<string, never>", kind: "struct" },
  "resource.Quantity": { node: { "x-kubernetes-int-or-string": true, format: "quantity" }, type: "string | number", kind: "opaque" },
  "intstr.IntOrString": { node: { "x-kubernetes-int-or-string": true }, type: "number | string", kind: "opaque" },
  "metav1.Time": { node: { type: "string", format: "date-time", nullable: true }, type: "string", kind: "opaque" },
  "metav1.MicroTime": { node: { type: "string", format: "micro-time", nullable: true }, type: "string", kind: "opaque" },
  "metav1.Duration": { node: { type: "string", format: "duration" }, type: "string", kind: "opaque" },
  "metav1.FieldsV1": { node: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, type: "Record<string, unknown>", kind: "opaque" },
};

const JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

/** Types that are one thing or another in JSON: Go reads and writes them by hand. */
const UNIONS: Readonly<Record<string, Shape>> = {
  JSON: { node: { "x-kubernetes-preserve-unknown-fields": true }, type: "unknown", kind: "opaque" },
  JSONSchemaPropsOrBool: { node: { $ref: JSON_SCHEMA, "x-eider-or": "boolean" }, type: "JSONSchemaProps | boolean", kind: "opaque" },
  JSONSchemaPropsOrArray: { node: { $ref: JSON_SCHEMA, "x-eider-or": "array" }, type: "JSONSchemaProps | JSONSchemaProps[]", kind: "opaque" },
  JSONSchemaPropsOrStringArray: { node: { $ref: JSON_SCHEMA, "x-eider-or": "strings" }, type: "JSONSchemaProps | string[]", kind: "opaque" },
};

/** All parsed sources, and the types that were met and are still to be written. */
class Importer {
  readonly #files: ReadonlyMap<string, GoFile>;
  readonly #queue: { source: string; name: string }[] = [];
  readonly #seen = new Set<string>();
  readonly written = new Map<string, Map<string, { node: Data; type: string }>>();

  constructor(files: ReadonlyMap<string, GoFile>) {
    this.#files = files;
  }

  add(source: string, name: string): void {
    const key = `${source}.${name}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#queue.push({ source, name });
  }

  run(): void {
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      const made = this.#object(next.source, next.name);
      const group = this.written.get(next.source) ?? new Map<string, { node: Data; type: string }>();
      group.set(next.name, made);
      this.written.set(next.source, group);
    }
  }

  #fileOf(source: string): GoFile {
    const file = this.#files.get(source);
    if (file === undefined) throw new Error(`no source ${source}`);
    return file;
  }

  #shape(source: string, goType: string): Shape {
    if (goType.startsWith("*")) return { ...this.#shape(source, goType.slice(1)), kind: "pointer" };
    const union = source === "apiextensions" ? UNIONS[goType] : undefined;
    if (union !== undefined) {
      if (union.node["$ref"] !== undefined) this.add(source, "JSONSchemaProps");
      return union;
    }
    const scalar = SCALARS[goType] ?? (source === "metav1" ? SCALARS[`metav1.${goType}`] : undefined);
    if (scalar !== undefined) return scalar;
    if (goType.startsWith("[]")) {
      const items = this.#shape(source, goType.slice(2));
      return { node: { type: "array", items: items.node }, type: /[ |]/.test(items.type) ? `(${items.type})[]` : `${items.type}[]`, kind: "value" };
    }
    const map = /^map\[[\w.]+\](.+)$/.exec(goType);
    if (map?.[1] !== undefined) {
      const values = this.#shape(source, map[1]);
      return { node: { type: "object", additionalProperties: values.node }, type: `Record<string, ${values.type}>`, kind: "value" };
    }
    const [owner, name] = goType.includes(".") ? (goType.split(".") as [string, string]) : [source, goType];
    const file = this.#fileOf(owner);
    const alias = file.aliases.get(name);
    if (alias !== undefined) {
      const shape = this.#shape(owner, alias);
      const values = file.enums.get(name) ?? [];
      const version = SOURCES[owner]?.prefix.split(".").at(-1) ?? "";
      return { ...shape, node: { ...shape.node, ...(values.length === 0 ? {} : { enum: values.toSorted() }), "x-eider-type": `${version}.${name}` } };
    }
    if (!file.structs.has(name)) throw new Error(`${source}: unknown Go type ${goType}`);
    this.add(owner, name);
    return { node: { $ref: `${SOURCES[owner]?.prefix ?? ""}.${name}` }, type: name, kind: "struct" };
  }

  #property(source: string, field: Field, within: number | undefined): Data {
    const shape = this.#shape(source, field.goType);
    const node: Data = { ...shape.node };
    const marker = (name: string): string[] => field.markers.filter((m) => m.startsWith(`${name}=`)).map((m) => m.slice(name.length + 1));
    const listType = marker("listType")[0];
    const keys = marker("listMapKey");
    const initial = marker("default")[0];
    if (listType !== undefined) node["x-kubernetes-list-type"] = listType;
    if (keys.length > 0) node["x-kubernetes-list-map-keys"] = keys;
    const mapType = marker("mapType")[0] ?? marker("structType")[0];
    if (mapType !== undefined) node["x-kubernetes-map-type"] = mapType;
    if (field.patchStrategy !== undefined) node["x-kubernetes-patch-strategy"] = field.patchStrategy;
    if (field.patchMergeKey !== undefined) node["x-kubernetes-patch-merge-key"] = field.patchMergeKey;
    if (initial !== undefined && /^["0-9tf[{]/.test(initial)) node["default"] = JSON.parse(initial);
    if (field.proto !== undefined) node["x-eider-proto"] = field.proto;
    if (within !== undefined) node["x-eider-proto-in"] = within;
    const zero = zeroOf(field, shape);
    if (zero !== undefined) node["x-eider-zero"] = zero;
    if (field.goType.startsWith("*")) node["x-eider-pointer"] = true;
    return node;
  }

  #object(source: string, name: string): { node: Data; type: string } {
    const properties: Data = {};
    const required: string[] = [];
    const lines: string[] = [];
    const addFields = (owner: string, struct: string, within: number | undefined): void => {
      for (const field of this.#fileOf(owner).structs.get(struct) ?? []) {
        if (field.inline && field.goType.endsWith("TypeMeta")) {
          lines.push("  apiVersion: string;", "  kind: string;");
        } else if (field.inline) {
          const [from, inner] = field.goType.includes(".") ? (field.goType.split(".") as [string, string]) : [owner, field.goType];
          addFields(from, inner, field.proto);
        } else {
          const optional = field.markers.includes("optional") || (field.omitempty && !field.markers.includes("required"));
          if (!optional) required.push(field.json);
          properties[field.json] = this.#property(owner, field, within);
          const root = GROUPS.some((group) => group.source === source && group.roots.includes(name));
          const sure = !optional || (field.json === "metadata" && root) || (field.json === "spec" && SPEC_EXPECTED.has(name));
          const type = this.#shape(owner, field.goType).type;
          const nullable = root && field.goType.startsWith("[]") && !field.omitempty ? " | null" : "";
          const named = /^\w+$/.test(field.json) ? field.json : JSON.stringify(field.json);
          lines.push(`  ${named}${sure ? "" : "?"}: ${type === "ObjectMeta" && !root ? "DraftMeta" : type}${nullable};`);
        }
      }
    };
    addFields(source, name, undefined);
    const atomic = this.#fileOf(source).atomic.has(name);
    return {
      node: { type: "object", properties, ...(required.length === 0 ? {} : { required }), ...(atomic ? { "x-kubernetes-map-type": "atomic" } : {}) },
      type: `export interface ${name} {\n${lines.join("\n")}\n}`,
    };
  }
}

/** What Go writes for an empty value; pointers are written as they are. */
function zeroOf(field: Field, shape: Shape): "drop" | "keep" | undefined {
  if (shape.kind === "pointer") return field.omitempty ? undefined : "keep";
  if (shape.kind === "struct") return field.omitzero ? "drop" : "keep";
  // A time that nobody set is null on the wire, whatever its tag says; it would have to be a pointer to be left out.
  if (shape.kind === "opaque") return field.omitzero ? "drop" : "keep";
  return field.omitempty ? "drop" : "keep";
}

/** Types of other groups that the interfaces of a group mention. */
function importsOf(group: Group, types: ReadonlyMap<string, { type: string }>, all: Importer["written"]): string {
  const text = [...types.values()].map((made) => made.type).join("\n");
  const lines: string[] = [];
  const used = new Set([...text.matchAll(/: ([^;]+);/g)].flatMap((m) => (m[1] ?? "").match(/[A-Z]\w+/g) ?? []));
  for (const other of GROUPS) {
    if (other.source === group.source) continue;
    const names = [...(all.get(other.source)?.keys() ?? [])].filter((name) => used.has(name) && !types.has(name) && name !== "ObjectMeta").sort();
    const path = other.folder === group.folder ? "." : `../${other.folder}`;
    if (names.length > 0) lines.push(`import type { ${names.join(", ")} } from "${path}/${other.name}.types.ts";\n`);
  }
  const shared = ["DraftMeta", "ObjectMeta"].filter((name) => used.has(name));
  if (shared.length > 0) lines.push(`import type { ${shared.join(", ")} } from "#schema";\n`);
  return lines.join("");
}

function textOf(modules: string, { file, and }: Source): string {
  return [file, ...(and === undefined ? [] : [and])].map((name) => readFileSync(join(modules, name), "utf8")).join("\n");
}

function main(): void {
  const modules = process.env["K8S_MODULES"];
  if (modules === undefined) throw new Error("set K8S_MODULES to a Go module cache that holds k8s.io/api and k8s.io/apimachinery");
  const files = new Map(Object.entries(SOURCES).map(([name, source]) => [name, parseGo(textOf(modules, source))]));
  const importer = new Importer(files);
  for (const group of GROUPS) for (const root of group.roots) importer.add(group.source, root);
  importer.run();
  const kinds = resolve(import.meta.dirname, "../src/kinds");
  const hashes: Record<string, string> = {};
  const write = (path: string, text: string): void => {
    mkdirSync(join(kinds, path, ".."), { recursive: true });
    writeFileSync(join(kinds, path), text);
    hashes[path] = createHash("sha256").update(text).digest("hex");
  };
  for (const group of GROUPS) {
    const types = new Map([...(importer.written.get(group.source) ?? new Map<string, { node: Data; type: string }>())].sort(([a], [b]) => (a < b ? -1 : 1)));
    const origin = `// Generated by scripts/import-kubernetes.ts from ${SOURCES[group.source]?.file ?? ""}; do not edit.\n`;
    const prefix = SOURCES[group.source]?.prefix ?? "";
    const lines = [...types].map(([name, made]) => `  ${JSON.stringify(`${prefix}.${name}`)}: ${JSON.stringify(made.node)},\n`);
    const data = `${origin}import type { Node } from "#schema";\n\n/** Named types by their names in Kubernetes' OpenAPI. */\nexport const definitions: Readonly<Record<string, Node>> = {\n${lines.join("")}};\n`;
    write(`${group.folder}/${group.name}.data.ts`, data);
    const interfaces = [...types]
      .filter(([name]) => name !== "ObjectMeta" && name !== "OwnerReference" && name !== "ManagedFieldsEntry")
      .map(([, made]) => made.type);
    write(`${group.folder}/${group.name}.types.ts`, `${origin}${importsOf(group, types, importer.written)}\n${interfaces.join("\n\n")}\n`);
  }
  writeFileSync(join(kinds, "core/imported.hashes.json"), `${JSON.stringify({ version: VERSION, hashes }, null, 2)}\n`);
}

main();
