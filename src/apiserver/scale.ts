// The scale subresource: a Scale seen in any object that has replicas, and written back into it.
import { badRequest } from "#core";
import {
  ageOf,
  formatLabelSelector,
  requirementsOf,
  toParentEntries,
  toScaleEntries,
  type Kind,
  type KubeObject,
  type ObjectMeta,
  type ReplicasPath,
  type ScaleSubresource,
} from "#schema";
import { isRecord } from "./body.ts";
import { invalid } from "./errors.ts";
import type { Owners } from "./ownership.ts";
import { resourceOf, type Resource } from "./registry.ts";

/** `autoscaling/v1` Scale. */
export interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

const count = { type: "integer", format: "int32" } as const;

const kind: Kind = {
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  singular: "scale",
  shortNames: [],
  categories: [],
  scope: "Namespaced",
  subresources: {},
  columns: [
    { name: "Name", type: "string", cell: (scale) => scale.metadata.name },
    { name: "Desired", type: "integer", cell: (scale) => (scale as Scale).spec.replicas ?? 0 },
    { name: "Available", type: "integer", cell: (scale) => (scale as Scale).status.replicas },
    { name: "Age", type: "date", cell: (scale, nowMs) => ageOf(scale.metadata.creationTimestamp, nowMs) },
  ],
  custom: false,
  hasGeneration: false,
  definitions: {
    ScaleSpec: { type: "object", properties: { replicas: { ...count, "x-eider-zero": "drop", "x-eider-proto": 1 } } },
    ScaleStatus: {
      type: "object",
      properties: {
        replicas: { ...count, "x-eider-zero": "keep", "x-eider-proto": 1 },
        selector: { type: "string", "x-eider-zero": "drop", "x-eider-proto": 2 },
      },
    },
  },
  schema: {
    type: "object",
    properties: {
      spec: { $ref: "ScaleSpec", "x-eider-zero": "keep", "x-eider-proto": 2 },
      status: { $ref: "ScaleStatus", "x-eider-zero": "keep", "x-eider-proto": 3 },
    },
  },
};

/** How a Scale is read, patched and applied, as if it were an object of its own. */
const scales = resourceOf({ kind });

/** The resource of the Scales of another one: as namespaced as that. */
export function scalesOf({ namespaced }: Resource): Resource {
  return namespaced ? scales : { ...scales, namespaced };
}

function at(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const part of namesIn(path)) value = isRecord(value) ? value[part] : undefined;
  return value;
}

function namesIn(path: string): string[] {
  return path.split(".").filter((word) => word !== "");
}

function withValue(object: Record<string, unknown>, path: readonly string[], value: unknown): Record<string, unknown> {
  const [first = "", ...rest] = path;
  if (rest.length === 0) return { ...object, [first]: value };
  const inner = object[first];
  return { ...object, [first]: withValue(isRecord(inner) ? inner : {}, rest, value) };
}

/** A label selector as text, as Kubernetes prints it; a text stays as it is. */
function selectorText(selector: unknown): string | undefined {
  if (typeof selector === "string") return selector;
  const requirements = isRecord(selector) ? requirementsOf(selector) : undefined;
  return requirements === undefined ? undefined : formatLabelSelector(requirements);
}

export function scaleOf(object: KubeObject, paths: ScaleSubresource): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = at(object, paths.specReplicasPath);
  const ready = at(object, paths.statusReplicasPath);
  const selector = paths.labelSelectorPath === undefined ? undefined : selectorText(at(object, paths.labelSelectorPath));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === "number" && replicas !== 0 ? { replicas } : {},
    status: { replicas: typeof ready === "number" ? ready : 0, ...(selector === undefined ? {} : { selector }) },
  };
}

/** Where owners of an object's replicas are found. */
export function replicasPath(resource: Resource, paths: ScaleSubresource): ReplicasPath {
  const { apiVersion, tracking } = resource;
  return {
    apiVersion,
    path: namesIn(paths.specReplicasPath).map((name) => `f:${name}`),
    isServed: (version) => version === apiVersion || tracking.main.convert?.({}, version) !== undefined,
  };
}

/** As `scaleOf`, with the owners of the replicas. */
export function ownedScale(resource: Resource, object: KubeObject, paths: ScaleSubresource): Scale {
  const scale = scaleOf(object, paths);
  const entries = toScaleEntries(object.metadata.managedFields, replicasPath(resource, paths));
  return entries === undefined ? scale : { ...scale, metadata: { ...scale.metadata, managedFields: entries } as ObjectMeta };
}

/** The owners of an object after its Scale has got these. */
export function ownersWithScale(resource: Resource, object: KubeObject, paths: ScaleSubresource, owners: Owners): Owners {
  return toParentEntries(object.metadata.managedFields, owners, replicasPath(resource, paths));
}

/** The object with the replicas of a sent Scale, and with its resourceVersion for the optimistic lock. A custom kind checks itself. */
export function withScale({ kind: { custom } }: Resource, object: KubeObject, paths: ScaleSubresource, sent: KubeObject): KubeObject {
  const { name } = object.metadata;
  const replicas = at(sent, ".spec.replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas)) throw badRequest("the Scale's spec.replicas must be an integer");
  if (replicas < 0 && !custom) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    throw invalid({ group: "autoscaling", kind: "Scale" }, name, [{ type: "FieldValueInvalid", field: "spec.replicas", message }]);
  }
  const changed = withValue({ ...object }, namesIn(paths.specReplicasPath), replicas) as unknown as KubeObject;
  const { resourceVersion, uid } = sent.metadata as Partial<ObjectMeta>;
  return {
    ...changed,
    metadata: {
      ...object.metadata,
      ...(resourceVersion !== undefined && resourceVersion !== "" ? { resourceVersion } : {}),
      ...(uid !== undefined && uid !== "" ? { uid } : {}),
    },
  };
}
