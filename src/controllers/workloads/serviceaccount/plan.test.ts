// What a namespace has from the start.
import assert from "node:assert/strict";
import { test } from "node:test";
import { planNamespaceDefaults } from "./plan.ts";

const metadata = { name: "team", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const namesOf = (given: Parameters<typeof planNamespaceDefaults>[0]) =>
  planNamespaceDefaults(given).desired?.map(({ kind, object }) => `${kind.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`);
const namespace = { apiVersion: "v1", kind: "Namespace", metadata };

const table = [
  { name: "an account", given: { namespace, rootCa: undefined }, want: ["ServiceAccount team/default"] },
  {
    name: "an account and the root certificate",
    given: { namespace, rootCa: "PEM" },
    want: ["ServiceAccount team/default", "ConfigMap team/kube-root-ca.crt"],
  },
  {
    name: "nothing once it is deleted",
    given: { namespace: { ...namespace, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }, rootCa: "PEM" },
    want: undefined,
  },
];
for (const { name, given, want } of table) test(`planNamespaceDefaults: ${name}`, () => assert.deepEqual(namesOf(given), want));
