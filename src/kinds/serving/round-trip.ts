// What an object looks like after it went through Go's typed structs: nulls and empty values gone, structs always there.
import { formatQuantity, parseQuantity, type KubeObject, type Node } from "#schema";

/** Numbers and booleans that are no pointers in Go: zero is the same as absent. By `parent.field`, or `field` anywhere. */
const ZERO_IS_ABSENT = new Set([
  ...["livenessProbe", "readinessProbe", "startupProbe"].flatMap((probe) =>
    ["failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"].map((name) => `${probe}.${name}`),
  ),
  "readOnly",
  "hostIPC",
  "hostNetwork",
  "hostPID",
  "numActivators",
  "splits.percent",
  "meshOnly",
]);

/** Texts that Go writes even when they are empty: pointers, or without omitempty. By `parent.field`. */
const EMPTY_TEXT_STAYS = new Set([
  "grpc.service",
  "spec.scrapeTarget",
  ...["backoffDelay", "backoffPolicy", "format", "retryAfterMax", "timeout"].map((name) => `delivery.${name}`),
]);

/** Members beside required strings that Go writes even when empty, by the field that holds them; list items by the list's field. */
const ALWAYS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  template: { metadata: {}, spec: {} },
  containers: { name: "", resources: {} },
  initContainers: { name: "", resources: {} },
  httpGet: { port: 0 },
  tcpSocket: { port: 0 },
  grpc: { port: 0 },
  ports: { containerPort: 0 },
  splits: { serviceNamespace: "", serviceName: "", servicePort: 0 },
};

/** Lists that Go writes as null when there are none, which the schema then refuses; by the path in the spec. */
const NULL_LISTS: readonly (readonly string[])[] = [["template", "spec", "containers"], ["containers"], ["dnsNames"], ["steps"], ["branches"]];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nulls go, everything else stays: content that no struct of ours describes. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

/** Go writes quantities in their shortest form. */
function canonical(text: unknown): unknown {
  const quantity = typeof text === "string" || typeof text === "number" ? parseQuantity(text) : undefined;
  return quantity === undefined ? text : formatQuantity(quantity);
}

function mapOf(value: Record<string, unknown>, values: Node): unknown {
  if (Object.keys(value).length === 0) return undefined;
  const isQuantity = values["x-kubernetes-int-or-string"] === true && values.pattern !== undefined;
  return isQuantity ? Object.fromEntries(Object.entries(value).map(([name, text]) => [name, canonical(text)])) : withoutNulls(value);
}

function struct(value: Record<string, unknown>, node: Node, name: string): Record<string, unknown> {
  const result: Record<string, unknown> = { ...ALWAYS[name] };
  for (const [key, member] of Object.entries(value)) {
    const typed = field(member, node.properties?.[key] ?? {}, { parent: name, key });
    if (typed !== undefined) result[key] = typed;
  }
  for (const key of node.required ?? []) {
    if (node.properties?.[key]?.type === "string") result[key] ??= "";
  }
  for (const [key, empty] of Object.entries(ALWAYS[name] ?? {})) {
    if (isRecord(empty)) result[key] = struct(isRecord(result[key]) ? result[key] : {}, node.properties?.[key] ?? {}, key);
  }
  return result;
}

function field(value: unknown, node: Node, at: { readonly parent: string; readonly key: string }): unknown {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return value.map((item: unknown) => (isRecord(item) && node.items !== undefined ? open(item, node.items, at.key) : item));
  }
  if (isRecord(value)) {
    if (node.additionalProperties !== undefined) return mapOf(value, node.additionalProperties);
    return open(value, node, at.key);
  }
  if (value === "") return EMPTY_TEXT_STAYS.has(`${at.parent}.${at.key}`) ? "" : undefined;
  const zero = value === 0 || value === false;
  return zero && (ZERO_IS_ABSENT.has(`${at.parent}.${at.key}`) || ZERO_IS_ABSENT.has(at.key)) ? undefined : value;
}

function open(value: Record<string, unknown>, node: Node, name: string): unknown {
  const opaque = node["x-kubernetes-preserve-unknown-fields"] === true && name !== "metadata";
  return opaque ? withoutNulls(value) : struct(value, node, name);
}

/** The spec of `object` in typed form by the schema of its kind; metadata and status stay. */
export function roundTripped<O extends KubeObject>(object: O, schema: Node): O {
  const { spec } = object as O & { spec?: unknown };
  const node = schema.properties?.["spec"] ?? {};
  const always = node.properties?.["template"] === undefined ? {} : { template: {} };
  const typed = struct({ ...always, ...(isRecord(spec) ? spec : {}) }, node, "spec");
  for (const path of NULL_LISTS) withNull(typed, path, { node, was: spec });
  return { ...object, spec: typed };
}

/** An empty list stays one; a missing list becomes null, where the schema knows the list. */
function withNull(holder: Record<string, unknown>, [key = "", ...rest]: readonly string[], at: { readonly node: Node; readonly was: unknown }): void {
  const node = at.node.properties?.[key];
  if (node === undefined) return;
  const was = isRecord(at.was) ? at.was[key] : undefined;
  const member = holder[key];
  if (rest.length > 0) {
    if (isRecord(member)) withNull(member, rest, { node, was });
  } else holder[key] ??= Array.isArray(was) ? [] : null;
}
