// What the tests of this folder share: one kind that has every sort of list, map and struct.
import type { Node } from "../node.ts";
import { objectMeta } from "../metadata-schema.ts";
import { mergeTypeOf } from "./merge-type.ts";
import type { Tracking } from "./update.ts";
import { NOTHING } from "./fields.ts";

const text: Node = { type: "string" };
const number: Node = { type: "integer" };

export const root: Node = {
  type: "object",
  properties: {
    apiVersion: text,
    kind: text,
    metadata: objectMeta,
    spec: {
      type: "object",
      properties: {
        name: text,
        count: number,
        on: { type: "boolean" },
        ports: {
          type: "array",
          items: { $ref: "Port" },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        tags: { type: "array", items: text, "x-kubernetes-list-type": "set" },
        args: { type: "array", items: text, "x-kubernetes-list-type": "atomic" },
        plain: { type: "array", items: text },
        labels: { type: "object", additionalProperties: text },
        whole: { type: "object", additionalProperties: text, "x-kubernetes-map-type": "atomic" },
        ref: { type: "object", properties: { name: text, uid: text }, "x-kubernetes-map-type": "atomic" },
        limit: { "x-kubernetes-int-or-string": true },
        open: { type: "object", properties: { known: { type: "object", properties: { a: text } } }, "x-kubernetes-preserve-unknown-fields": true },
        tree: { $ref: "Tree" },
        inner: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: { type: "object", properties: { phase: text } },
  },
};

export const definitions: Readonly<Record<string, Node>> = {
  Port: { type: "object", properties: { port: number, protocol: { ...text, default: "TCP" }, name: text } },
  Tree: { type: "object", properties: { value: text, left: { $ref: "Tree" }, right: { $ref: "Tree" } } },
};

export const type = mergeTypeOf(root, definitions, objectMeta);

export const tracking: Tracking = { apiVersion: "v1", type, reset: NOTHING, empty: { apiVersion: "v1", kind: "Thing" } };

/** A thing with this spec. */
export function thing(spec: object, metadata: object = {}): Record<string, unknown> {
  return { apiVersion: "v1", kind: "Thing", metadata: { name: "t", ...metadata }, spec };
}
