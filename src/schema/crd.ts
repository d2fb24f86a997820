// The CustomResourceDefinition that stands for a custom kind.
import { rfc3339 } from "#core";
import { resolveNode } from "./compile-nodes.ts";
import type { Column, Kind } from "./kind.ts";
import type { Node } from "./node.ts";

type Json = Record<string, unknown>;

/** A structural schema has no references: types are written out where they are used. */
function inlined(node: Node, definitions: Readonly<Record<string, Node>>): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(resolveNode(node, definitions))) if (!key.startsWith("x-eider-")) out[key] = value;
  const { properties, items, additionalProperties } = resolveNode(node, definitions);
  if (properties !== undefined) out["properties"] = Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, inlined(child, definitions)]));
  if (items !== undefined) out["items"] = inlined(items, definitions);
  if (additionalProperties !== undefined) out["additionalProperties"] = inlined(additionalProperties, definitions);
  return out;
}

function columnOf({ name, type, path, priority, description, format }: Column): Json {
  return {
    ...(description === undefined ? {} : { description }),
    ...(format === undefined ? {} : { format }),
    jsonPath: path,
    name,
    ...(priority === undefined || priority === 0 ? {} : { priority }),
    type,
  };
}

function versionOf(kind: Kind, isStored: boolean): Json {
  const { status, scale } = kind.subresources;
  const text = { type: "string" };
  const body = inlined(kind.schema, kind.definitions ?? {});
  const properties = { apiVersion: text, kind: text, metadata: { type: "object" }, ...(body["properties"] as Json | undefined) };
  const subresources = { ...(status === true ? { status: {} } : {}), ...(scale === undefined ? {} : { scale }) };
  return {
    ...(kind.columns.length === 0 ? {} : { additionalPrinterColumns: kind.columns.map(columnOf) }),
    ...(kind.deprecationWarning === undefined ? {} : { deprecated: true, deprecationWarning: kind.deprecationWarning }),
    name: kind.version,
    schema: { openAPIV3Schema: { ...body, properties } },
    served: true,
    storage: isStored,
    ...(Object.keys(subresources).length === 0 ? {} : { subresources }),
  };
}

/**
 * An accepted and established definition, in `apiextensions.k8s.io/v1`; the server adds uid and resourceVersion.
 * `others` are the same kind in versions that are served, too, without a conversion.
 */
export function crdFor(kind: Kind, createdWallMs: number, others: readonly Kind[] = []): Json {
  const time = rfc3339(createdWallMs);
  const names = {
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural: kind.plural,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    singular: kind.singular,
  };
  const condition = (type: string, reason: string, message: string): Json => ({ lastTransitionTime: time, message, reason, status: "True", type });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${kind.plural}.${kind.group}`,
      creationTimestamp: time,
      generation: 1,
      ...(kind.labels === undefined ? {} : { labels: kind.labels }),
      ...(kind.annotations === undefined ? {} : { annotations: kind.annotations }),
    },
    spec: {
      conversion: { strategy: "None" },
      group: kind.group,
      names,
      scope: kind.scope,
      versions: [versionOf(kind, true), ...others.map((other) => versionOf(other, false))],
    },
    status: {
      acceptedNames: names,
      conditions: [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
      ],
      storedVersions: [kind.version],
    },
  };
}
