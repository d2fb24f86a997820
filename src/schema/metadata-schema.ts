// The schema of `metadata`, shared by every kind.
import type { Node } from "./node.ts";

const text: Node = { type: "string" };
const texts: Node = { type: "object", additionalProperties: text };
const time: Node = { type: "string", format: "date-time", nullable: true };

/** `metav1.ObjectMeta` with its patch keys and protobuf numbers. */
export const objectMeta: Node = {
  type: "object",
  properties: {
    name: { ...text, "x-eider-proto": 1, "x-eider-zero": "drop" },
    generateName: { ...text, "x-eider-proto": 2, "x-eider-zero": "drop" },
    namespace: { ...text, "x-eider-proto": 3, "x-eider-zero": "drop" },
    selfLink: { ...text, "x-eider-proto": 4, "x-eider-zero": "drop" },
    uid: { ...text, "x-eider-proto": 5, "x-eider-zero": "drop" },
    resourceVersion: { ...text, "x-eider-proto": 6, "x-eider-zero": "drop" },
    generation: { type: "integer", format: "int64", "x-eider-proto": 7, "x-eider-zero": "drop" },
    creationTimestamp: { ...time, "x-eider-proto": 8, "x-eider-zero": "drop" },
    deletionTimestamp: { ...time, "x-eider-pointer": true, "x-eider-proto": 9 },
    deletionGracePeriodSeconds: { type: "integer", format: "int64", "x-eider-pointer": true, "x-eider-proto": 10 },
    labels: { ...texts, "x-eider-proto": 11, "x-eider-zero": "drop" },
    annotations: { ...texts, "x-eider-proto": 12, "x-eider-zero": "drop" },
    ownerReferences: {
      type: "array",
      items: {
        type: "object",
        properties: {
          kind: { ...text, "x-eider-proto": 1, "x-eider-zero": "keep" },
          name: { ...text, "x-eider-proto": 3, "x-eider-zero": "keep" },
          uid: { ...text, "x-eider-proto": 4, "x-eider-zero": "keep" },
          apiVersion: { ...text, "x-eider-proto": 5, "x-eider-zero": "keep" },
          controller: { type: "boolean", "x-eider-pointer": true, "x-eider-proto": 6 },
          blockOwnerDeletion: { type: "boolean", "x-eider-pointer": true, "x-eider-proto": 7 },
        },
        required: ["apiVersion", "kind", "name", "uid"],
        "x-kubernetes-map-type": "atomic",
      },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "uid",
      "x-eider-proto": 13,
      "x-eider-zero": "drop",
    },
    finalizers: {
      type: "array",
      items: text,
      "x-kubernetes-list-type": "set",
      "x-kubernetes-patch-strategy": "merge",
      "x-eider-proto": 14,
      "x-eider-zero": "drop",
    },
    managedFields: {
      type: "array",
      items: {
        type: "object",
        properties: {
          manager: { ...text, "x-eider-proto": 1, "x-eider-zero": "drop" },
          operation: { ...text, "x-eider-proto": 2, "x-eider-zero": "drop" },
          apiVersion: { ...text, "x-eider-proto": 3, "x-eider-zero": "drop" },
          time: { ...time, "x-eider-pointer": true, "x-eider-proto": 4 },
          fieldsType: { ...text, "x-eider-proto": 6, "x-eider-zero": "drop" },
          fieldsV1: { type: "object", "x-kubernetes-preserve-unknown-fields": true, "x-eider-pointer": true, "x-eider-proto": 7 },
          subresource: { ...text, "x-eider-proto": 8, "x-eider-zero": "drop" },
        },
      },
      "x-kubernetes-list-type": "atomic",
      "x-eider-proto": 17,
      "x-eider-zero": "drop",
    },
  },
};
