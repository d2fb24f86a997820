// How lists of Kubernetes' own kinds are merged, by strategic patches and by apply: as a real server's OpenAPI says it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openApiV3, type Kind } from "#schema";
import * as kinds from "./index.ts";

type Marks = Readonly<Record<string, unknown>>;

const recorded = JSON.parse(readFileSync(new URL("../../test/golden/kubernetes-api/patch-marks.json", import.meta.url), "utf8")) as Record<string, Marks>;
const NAMES = ["patch-strategy", "patch-merge-key", "list-type", "list-map-keys", "map-type"];

/** Another program serves it, which was not there when this was recorded. */
const NOT_RECORDED = "metrics.k8s.io";

const isBuiltin = (value: unknown): value is Kind => typeof value === "object" && value !== null && (value as { custom?: unknown }).custom === false;
const own = (Object.values(kinds) as unknown[]).filter(isBuiltin).filter(({ group }) => group !== NOT_RECORDED);

function marksOf(field: Record<string, unknown>): Marks {
  return Object.fromEntries(NAMES.filter((name) => field[`x-kubernetes-${name}`] !== undefined).map((name) => [name, field[`x-kubernetes-${name}`]]));
}

/** Definition and field → marks, and all definitions that we have. */
function ours(): { readonly marks: Record<string, Marks>; readonly definitions: ReadonlySet<string> } {
  const served = own.map((kind) => ({ kind, verbs: ["get", "delete"], subresources: [] }));
  const document = JSON.parse([...openApiV3(served, { version: "", descriptions: {} })].join("")) as {
    components: { schemas: Record<string, { properties?: Record<string, Record<string, unknown>> }> };
  };
  const marks: Record<string, Marks> = {};
  for (const [definition, { properties = {} }] of Object.entries(document.components.schemas)) {
    for (const [name, field] of Object.entries(properties)) {
      const found = marksOf(field);
      if (Object.keys(found).length > 0) marks[`${definition} ${name}`] = found;
    }
  }
  return { marks, definitions: new Set(Object.keys(document.components.schemas)) };
}

test("merge keys, patch strategies and list types of all types that we have are the real server's, at every level", () => {
  const { marks, definitions } = ours();
  const wanted = Object.fromEntries(Object.entries(recorded).filter(([name]) => definitions.has(name.split(" ", 1)[0] ?? "")));
  assert.ok(Object.keys(wanted).length > 100);
  const elsewhere = /apiextensions|autoscaling|discovery|coordination|storage\.v1|TopologySelector/;
  assert.deepEqual(Object.fromEntries(Object.entries(marks).filter(([name]) => !elsewhere.test(name))), wanted);
});

test("a mark that is missing would be found", () => {
  const { marks } = ours();
  const { "io.k8s.api.core.v1.Container env": _, ...rest } = marks;
  assert.notDeepEqual(rest, marks);
  assert.deepEqual(recorded["io.k8s.api.core.v1.Container env"], marks["io.k8s.api.core.v1.Container env"]);
});
