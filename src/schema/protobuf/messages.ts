// The types of the protocol itself that travel as protobuf, as far as JSON schemas do not hold them already.
import { objectMeta } from "../metadata-schema.ts";
import type { Node } from "../node.ts";
import { protobufCodec } from "./codec.ts";

/** Properties by name with their field numbers; nodes of Go pointers say so themselves. */
function message(properties: Readonly<Record<string, readonly [number: number, node: Node]>>): Node {
  const entries = Object.entries(properties).map(([name, [number, node]]) => [name, { ...node, "x-eider-proto": number }] as const);
  return { type: "object", properties: Object.fromEntries(entries) };
}

const text: Node = { type: "string" };
const texts: Node = { type: "array", items: text };
const int32: Node = { type: "integer", format: "int32" };
const int64: Node = { type: "integer", format: "int64" };
const boolean: Node = { type: "boolean" };
const pointer = (node: Node): Node => ({ ...node, "x-eider-pointer": true });
const list = (items: Node): Node => ({ type: "array", items });

const listMetaNode = message({ selfLink: [1, text], resourceVersion: [2, text], continue: [3, text], remainingItemCount: [4, pointer(int64)] });

const causes = message({ reason: [1, text], message: [2, text], field: [3, text] });
const details = message({ name: [1, text], group: [2, text], kind: [3, text], causes: [4, list(causes)], retryAfterSeconds: [5, int32], uid: [6, text] });

const preconditions = message({ uid: [1, pointer(text)], resourceVersion: [2, pointer(text)] });
const deleteOptionsNode = message({
  gracePeriodSeconds: [1, pointer(int64)],
  preconditions: [2, pointer(preconditions)],
  orphanDependents: [3, pointer(boolean)],
  propagationPolicy: [4, pointer(text)],
  dryRun: [5, texts],
  ignoreStoreReadErrorWithClusterBreakingPotential: [6, pointer(boolean)],
});

const metadata: readonly [number, Node] = [1, objectMeta];

/** `metav1.ListMeta`. */
export const listMeta = protobufCodec(listMetaNode);

/** `metav1.Status`. */
export const status = protobufCodec(
  message({ metadata: [1, listMetaNode], status: [2, text], message: [3, text], reason: [4, text], details: [5, pointer(details)], code: [6, int32] }),
);

/** `metav1.DeleteOptions`. */
export const deleteOptions = protobufCodec(deleteOptionsNode);

/** `policy/v1` Eviction. */
export const eviction = protobufCodec(message({ metadata, deleteOptions: [2, pointer(deleteOptionsNode)] }));

/** `metav1.PartialObjectMetadata`. */
export const partialObjectMetadata = protobufCodec(message({ metadata }));

const groupVersion = message({ groupVersion: [1, text], version: [2, text] });
const serverAddress = message({ clientCIDR: [1, text], serverAddress: [2, text] });
const apiGroupNode = message({
  name: [1, text],
  versions: [2, list(groupVersion)],
  preferredVersion: [3, groupVersion],
  serverAddressByClientCIDRs: [4, list(serverAddress)],
});
const apiResource = message({
  name: [1, text],
  namespaced: [2, boolean],
  kind: [3, text],
  // A message around the list, which JSON does not have.
  verbs: [4, message({ items: [1, texts] })],
  shortNames: [5, texts],
  singularName: [6, text],
  categories: [7, texts],
  group: [8, text],
  version: [9, text],
  storageVersionHash: [10, text],
});

/** `metav1.APIVersions`. */
export const apiVersions = protobufCodec(message({ versions: [1, texts], serverAddressByClientCIDRs: [2, list(serverAddress)] }));

/** `metav1.APIGroup`. */
export const apiGroup = protobufCodec(apiGroupNode);

/** `metav1.APIGroupList`. */
export const apiGroupList = protobufCodec(message({ groups: [1, list(apiGroupNode)] }));

/** `metav1.APIResourceList`; verbs are objects `{ items }` here. */
export const apiResourceList = protobufCodec(message({ groupVersion: [1, text], resources: [2, list(apiResource)] }));
