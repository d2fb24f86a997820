// The scale subresource: a Scale seen in any object that has replicas, and written back into it.
import { badRequest } from "#core";
import { formatLabelSelector, requirementsOf, type KubeObject, type ScaleSubresource } from "#schema";
import { isRecord } from "./body.ts";
import { invalid } from "./errors.ts";

/** `autoscaling/v1` Scale. */
export interface Scale extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

function at(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const part of path.split(".").filter((word) => word !== "")) value = isRecord(value) ? value[part] : undefined;
  return value;
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
    spec: typeof replicas === "number" ? { replicas } : {},
    status: { replicas: typeof ready === "number" ? ready : 0, ...(selector === undefined ? {} : { selector }) },
  };
}

/** The object with the replicas of a sent Scale, and with its resourceVersion for the optimistic lock. */
export function withScale(object: KubeObject, paths: ScaleSubresource, sent: unknown): KubeObject {
  if (!isRecord(sent) || (sent["kind"] ?? "Scale") !== "Scale") throw badRequest("the object provided is unrecognized (must be of type Scale)");
  const { name } = object.metadata;
  const meta = isRecord(sent["metadata"]) ? sent["metadata"] : {};
  if ((meta["name"] ?? name) !== name) throw badRequest(`the name of the object (${String(meta["name"])}) does not match the name on the URL (${name})`);
  const replicas = at(sent, ".spec.replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas)) throw badRequest("the Scale's spec.replicas must be an integer");
  if (replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    throw invalid({ group: "autoscaling", kind: "Scale" }, name, [{ type: "FieldValueInvalid", field: "spec.replicas", message }]);
  }
  const path = paths.specReplicasPath.split(".").filter((word) => word !== "");
  const changed = withValue({ ...object }, path, replicas) as unknown as KubeObject;
  const { resourceVersion, uid } = meta;
  return {
    ...changed,
    metadata: {
      ...object.metadata,
      ...(typeof resourceVersion === "string" && resourceVersion !== "" ? { resourceVersion } : {}),
      ...(typeof uid === "string" && uid !== "" ? { uid } : {}),
    },
  };
}
