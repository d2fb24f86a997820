// The imported data and types are what the importer wrote: nobody edited them by hand.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import type { Node } from "#schema";
import { definitions as apiextensions } from "../apiextensions/definitions.ts";
import { definitions as autoscaling } from "../autoscaling/definitions.ts";
import { definitions as apps } from "../apps/definitions.ts";
import { definitions as discovery } from "../discovery/definitions.ts";
import { definitions as metrics } from "../metrics/definitions.ts";
import { definitions as storage } from "../storage/definitions.ts";
import { definitions as authorization } from "../authorization/definitions.ts";
import { definitions as coordination } from "../coordination/definitions.ts";

const kinds = resolve(import.meta.dirname, "..");
const recorded = JSON.parse(readFileSync(resolve(import.meta.dirname, "imported.hashes.json"), "utf8")) as { hashes: Record<string, string> };

test("every imported file has its recorded hash", () => {
  const files = Object.entries(recorded.hashes);
  assert.equal(files.length, 24);
  for (const [path, hash] of files) {
    assert.equal(
      createHash("sha256")
        .update(readFileSync(resolve(kinds, path)))
        .digest("hex"),
      hash,
      `${path}: run scripts/import-kubernetes.ts`,
    );
  }
});

function refsOf(node: Node): string[] {
  const below = [
    ...Object.values(node.properties ?? {}),
    ...(node.items === undefined ? [] : [node.items]),
    ...(node.additionalProperties === undefined ? [] : [node.additionalProperties]),
  ];
  return [...(node.$ref === undefined ? [] : [node.$ref]), ...below.flatMap(refsOf)];
}

for (const [name, definitions] of Object.entries({ apiextensions, apps, authorization, autoscaling, discovery, coordination, metrics, storage })) {
  test(`every type that the kinds of ${name} refer to is there`, () => {
    const missing = Object.values(definitions)
      .flatMap(refsOf)
      .filter((ref) => definitions[ref] === undefined);
    assert.deepEqual(missing, []);
  });
}

test("facts of Kubernetes' API arrive: numbers, keys, defaults and required fields", () => {
  const spec = apps["io.k8s.api.core.v1.PodSpec"];
  assert.deepEqual(spec?.required, ["containers"]);
  assert.equal(spec?.properties?.["containers"]?.["x-kubernetes-patch-merge-key"], "name");
  assert.equal(spec?.properties?.["containers"]?.["x-eider-proto"], 2);
  const port = apps["io.k8s.api.core.v1.ContainerPort"];
  assert.equal(port?.properties?.["protocol"]?.default, "TCP");
  const ports = apps["io.k8s.api.core.v1.Container"]?.properties?.["ports"];
  assert.deepEqual(ports?.["x-kubernetes-list-map-keys"], ["containerPort", "protocol"]);
  const probe = apps["io.k8s.api.core.v1.Probe"]?.properties?.["httpGet"];
  assert.equal(probe?.["x-eider-proto-in"], 1, "the handler is inlined in JSON and a message of its own in protobuf");
});
