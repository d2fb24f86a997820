// The life of a namespace.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pod, type Namespace } from "#kinds";
import type { Kind } from "#schema";
import { planNamespace } from "./plan.ts";

function namespace(over: { readonly deleted?: true; readonly finalizers?: string[]; readonly phase?: string }): Namespace {
  const deletion = over.deleted ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {};
  const status = over.phase === undefined ? {} : { status: { phase: over.phase } };
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "team", uid: "u", resourceVersion: "1", creationTimestamp: "", ...deletion },
    spec: { finalizers: over.finalizers ?? ["kubernetes"] },
    ...status,
  };
}
const left = (name: string, deleting: boolean) => ({ kind: Pod as unknown as Kind, namespace: "team", name, uid: name, deleting });

const table = [
  { name: "a new one becomes Active", given: namespace({}), leftovers: [], want: { phase: "Active", effects: [], wakes: false } },
  {
    name: "a deleted one is emptied and looked at again",
    given: namespace({ deleted: true, phase: "Active" }),
    leftovers: [left("a", false), left("b", true)],
    want: { phase: "Terminating", effects: ["delete a"], wakes: true },
  },
  {
    name: "an empty one loses our finalizer only",
    given: namespace({ deleted: true, phase: "Terminating", finalizers: ["kubernetes", "other"] }),
    leftovers: [],
    want: { phase: undefined, effects: ["finalize other"], wakes: false },
  },
  {
    name: "one that others hold is left to them",
    given: namespace({ deleted: true, finalizers: ["other"] }),
    leftovers: [],
    want: { phase: "Terminating", effects: [], wakes: false },
  },
];
for (const { name, given, leftovers, want } of table) {
  test(`planNamespace: ${name}`, () => {
    const plan = planNamespace({ namespace: given, leftovers, nowMs: { monotonic: 5 } });
    const effects = (plan.effects ?? []).map((effect) =>
      effect.do === "delete" ? `delete ${effect.name}` : `finalize ${effect.namespace.spec?.finalizers?.join() ?? ""}`,
    );
    assert.deepEqual({ phase: (plan.status as Namespace["status"])?.phase, effects, wakes: plan.wakeAtMs !== undefined }, want);
    assert.equal(plan.desired, undefined);
  });
}
