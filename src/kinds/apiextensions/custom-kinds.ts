// The kinds that a CustomResourceDefinition stands for: one a served version.
import type { Column, Kind, KubeObject, Node } from "#schema";
import { nodeOf } from "./structural.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion, SelectableField } from "./v1.types.ts";

/** Kubernetes validates them itself; a schema can only narrow the names. */
const META = new Set(["apiVersion", "kind", "metadata"]);

const COLUMN_TYPES: readonly string[] = ["string", "integer", "number", "boolean", "date"];

function columnsOf(version: CustomResourceDefinitionVersion): Column[] {
  return (version.additionalPrinterColumns ?? []).map(({ name, type, format, description, priority, jsonPath }) => ({
    name,
    type: (COLUMN_TYPES.includes(type) ? type : "string") as Column["type"],
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
    path: jsonPath,
  }));
}

/** A selectable field as the text that a selector compares. */
function fieldReader(path: string): (object: KubeObject) => string {
  const names = path.split(".").filter((name) => name !== "");
  return (object) => {
    let value: unknown = object;
    for (const name of names) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
  };
}

function selectable(fields: readonly SelectableField[] | undefined): Pick<Kind, "selectableFields"> {
  if (fields === undefined || fields.length === 0) return {};
  return { selectableFields: Object.fromEntries(fields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ""), fieldReader(jsonPath)])) };
}

function schemasOf(version: CustomResourceDefinitionVersion): Pick<Kind, "schema" | "metaSchema"> {
  const root: Node = version.schema?.openAPIV3Schema === undefined ? { type: "object" } : nodeOf(version.schema.openAPIV3Schema);
  const properties = Object.entries(root.properties ?? {});
  const meta = properties.filter(([name]) => META.has(name));
  return {
    schema: { ...root, properties: Object.fromEntries(properties.filter(([name]) => !META.has(name))) },
    ...(meta.length === 0 ? {} : { metaSchema: Object.fromEntries(meta) }),
  };
}

/** The kind in one version, under the names that the definition asks for. */
export function kindOf({ spec }: Pick<CustomResourceDefinition, "spec">, version: CustomResourceDefinitionVersion): Kind {
  const { names, group, scope } = spec;
  const { status, scale } = version.subresources ?? {};
  return {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: scope === "Cluster" ? "Cluster" : "Namespaced",
    ...schemasOf(version),
    subresources: { ...(status === undefined ? {} : { status: true }), ...(scale === undefined ? {} : { scale }) },
    columns: columnsOf(version),
    ...selectable(version.selectableFields),
    storageVersion: spec.versions.find(({ storage }) => storage)?.name ?? version.name,
    custom: true,
    hasGeneration: true,
  };
}

/** Kubernetes' order of versions: v2, v1, v1beta2, v1alpha1, then all others by name. */
export function byVersion(a: string, b: string): number {
  const parsed = (name: string): readonly [number, number, number] => {
    const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(name) ?? [];
    if (major === undefined) return [-1, 0, 0];
    return [stage === undefined ? 2 : stage === "beta" ? 1 : 0, Number(major), Number(minor ?? 0)];
  };
  const [x, y] = [parsed(a), parsed(b)];
  for (const at of [0, 1, 2] as const) if (x[at] !== y[at]) return y[at] - x[at];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What clients of a deprecated version are told with every answer. */
export function deprecationOf({ spec }: Pick<CustomResourceDefinition, "spec">, version: CustomResourceDefinitionVersion): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const newer = spec.versions
    .filter(({ served, deprecated, name }) => served && deprecated !== true && byVersion(name, version.name) < 0)
    .map(({ name }) => name)
    .sort(byVersion)[0];
  const instead = newer === undefined ? "" : `; use ${spec.group}/${newer} ${spec.names.kind}`;
  return `${spec.group}/${version.name} ${spec.names.kind} is deprecated${instead}`;
}
