// What Go's JSON decoder says about a value of the wrong type: the webhook decodes before the schema is looked at.
import type { FieldError, KubeObject, Node } from "#schema";
import { QUANTITY_ERROR } from "../config/reader.ts";

/** Go's struct by the field that holds it. */
const STRUCTS: Readonly<Record<string, string>> = {
  template: "RevisionTemplateSpec",
  traffic: "TrafficTarget",
  containers: "Container",
  env: "EnvVar",
  envFrom: "EnvFromSource",
  ports: "ContainerPort",
  resources: "ResourceRequirements",
  securityContext: "SecurityContext",
  volumes: "Volume",
  volumeMounts: "VolumeMount",
  livenessProbe: "Probe",
  readinessProbe: "Probe",
  startupProbe: "Probe",
  httpGet: "HTTPGetAction",
  tcpSocket: "TCPSocketAction",
  rules: "IngressRule",
  paths: "HTTPIngressPath",
  splits: "IngressBackendSplit",
  tls: "IngressTLS",
};

const OWN_FIELDS = ["containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"];
const HANDLERS = ["exec", "grpc", "httpGet", "tcpSocket"];
const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"];

/** The embedded struct that a field belongs to, which Go's path names before it. */
function embedded(kind: string, before: readonly string[], key: string): string | undefined {
  const parent = before.at(-1);
  if (parent === "spec" && before.length === 1) {
    if (kind === "Service") return key === "traffic" ? "RouteSpec" : "ConfigurationSpec";
    return kind === "Revision" && !OWN_FIELDS.includes(key) ? "PodSpec" : undefined;
  }
  if (parent === "spec" && before.at(-2) === "template") return OWN_FIELDS.includes(key) ? undefined : "PodSpec";
  if (parent !== undefined && PROBES.includes(parent)) return HANDLERS.includes(key) ? "ProbeHandler" : undefined;
  return parent === "volumes" && key !== "name" ? "VolumeSource" : undefined;
}

function goPath(kind: string, keys: readonly string[]): string {
  return keys.flatMap((key, index) => [embedded(kind, keys.slice(0, index), key) ?? [], key].flat()).join(".");
}

function goStruct(kind: string, keys: readonly string[]): string {
  const parent = keys.at(-2) ?? "";
  if (parent !== "spec") return STRUCTS[parent] ?? kind;
  return keys.at(-3) === "template" ? "RevisionSpec" : `${kind}Spec`;
}

function goType(node: Node | undefined, keys: readonly string[]): string {
  const key = keys.at(-1) ?? "";
  if (key === "stableWindow" || key === "panicWindow") return "time.Duration";
  if (node?.type === "integer") return node.format === "int32" ? "int32" : "int64";
  if (node?.type === "boolean") return "bool";
  if (node?.type === "array") return `[]v1.${STRUCTS[key] ?? "string"}`;
  return node?.type === "object" ? `v1.${STRUCTS[key] ?? key}` : "string";
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const segmentsOf = (path: string): string[] => path.replaceAll(/\[(\d+)\]/g, ".$1").split(".");

function valueAt(object: KubeObject, segments: readonly string[]): unknown {
  return segments.reduce<unknown>((value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined), object);
}

function nodeAt(schema: Node, segments: readonly string[]): Node | undefined {
  return segments.reduce<Node | undefined>((node, key) => (/^\d+$/.test(key) ? node?.items : (node?.properties?.[key] ?? node?.additionalProperties)), schema);
}

/** A quantity may also be written as a number; Go makes a text of it. */
function isUndecodable(object: KubeObject, schema: Node, segments: readonly string[]): boolean {
  const value = valueAt(object, segments);
  const isQuantity = nodeAt(schema, segments)?.["x-kubernetes-int-or-string"] === true;
  return value !== undefined && !(isQuantity && typeof value === "number");
}

/** Why the object cannot be decoded, from what is wrong with its structure; undefined when it can. */
export function goDecodeError(object: KubeObject, schema: Node, structural: readonly FieldError[]): string | undefined {
  const quantity = structural.find(
    ({ type, field }) =>
      type !== "FieldValueTypeInvalid" && nodeAt(schema, segmentsOf(field))?.pattern !== undefined && /\.resources\.(?:limits|requests)\./.test(field),
  );
  const wrong = structural.find(({ type, field }) => type === "FieldValueTypeInvalid" && isUndecodable(object, schema, segmentsOf(field)));
  if (wrong === undefined) return quantity === undefined ? undefined : QUANTITY_ERROR;
  const segments = segmentsOf(wrong.field);
  const keys = segments.filter((segment) => !/^\d+$/.test(segment));
  const found = jsonType(valueAt(object, segments));
  return `json: cannot unmarshal ${found} into Go struct field ${goStruct(object.kind, keys)}.${goPath(object.kind, keys)} of type ${goType(nodeAt(schema, segments), keys)}`;
}
