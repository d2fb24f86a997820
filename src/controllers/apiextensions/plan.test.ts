// The truth table of definitions: names, establishment, approval, and the way out.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition } from "#kinds";
import { CLEANUP_FINALIZER, planDefinition, type DefinitionStep } from "./plan.ts";

const NOW = "2026-01-01T00:00:00Z";
const names = { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" };

interface Options {
  readonly accepted?: object;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
  readonly meta?: object;
  readonly group?: string;
}

function definition({ accepted, conditions = [], meta = {}, group = "x.dev" }: Options = {}): CustomResourceDefinition {
  const status = {
    conditions: conditions.map((one) => ({ ...one, lastTransitionTime: "2025-01-01T00:00:00Z" })),
    ...(accepted === undefined ? {} : { acceptedNames: accepted }),
  };
  return {
    metadata: { name: `things.${group}`, ...meta },
    spec: { group, names, scope: "Cluster", versions: [] },
    status,
  } as unknown as CustomResourceDefinition;
}

const NO_CONFLICTS = { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" };
const INSTALLING = { type: "Established", status: "False", reason: "Installing", message: "the initial names have been accepted" };
const ESTABLISHED = { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" };
const PENDING = { type: "Terminating", status: "True", reason: "InstanceDeletionPending", message: "soon" };
const IN_PROGRESS = { type: "Terminating", status: "True", reason: "InstanceDeletionInProgress", message: "CustomResource deletion is in progress" };
const dying = { deletionTimestamp: NOW, finalizers: [CLEANUP_FINALIZER] };
const rival = { ...definition(), status: { acceptedNames: { plural: "others", kind: "Thing", shortNames: ["thing"] } } } as unknown as CustomResourceDefinition;

function told(step: DefinitionStep): string {
  if (step.do !== "status") return step.do;
  return (step.status.conditions ?? [])
    .map(({ type, status, reason, lastTransitionTime }) => `${type}=${status} ${reason ?? ""}${lastTransitionTime === NOW ? " now" : ""}`)
    .join(", ");
}

for (const { name, given, others = [], want } of [
  { name: "a new one: its names are accepted", given: {}, want: "NamesAccepted=True NoConflicts now, Established=False Installing now" },
  {
    name: "accepted names: it is established",
    given: { accepted: names, conditions: [NO_CONFLICTS, INSTALLING] },
    want: "NamesAccepted=True NoConflicts, Established=True InitialNamesAccepted now",
  },
  { name: "an established one: nothing", given: { accepted: names, conditions: [NO_CONFLICTS, ESTABLISHED] }, want: "nothing" },
  { name: "names that others have: refused", given: {}, others: [rival], want: "NamesAccepted=False KindConflict now, Established=False NotAccepted now" },
  {
    name: "an established one that wants a name of others stays established",
    given: { accepted: { ...names, kind: "Old" }, conditions: [NO_CONFLICTS, ESTABLISHED] },
    others: [rival],
    want: "NamesAccepted=False KindConflict now, Established=True InitialNamesAccepted",
  },
  {
    name: "a group of Kubernetes' own: its approval is told",
    given: {
      accepted: names,
      conditions: [NO_CONFLICTS, ESTABLISHED],
      group: "x.k8s.io",
      meta: { annotations: { "api-approved.kubernetes.io": "unapproved" } },
    },
    want: "NamesAccepted=True NoConflicts, Established=True InitialNamesAccepted, KubernetesAPIApprovalPolicyConformant=False UnapprovedAnnotation now",
  },
  {
    name: "a deleted one: told first",
    given: { conditions: [ESTABLISHED, PENDING], meta: dying },
    want: "Established=True InitialNamesAccepted, Terminating=True InstanceDeletionInProgress",
  },
  { name: "then emptied", given: { conditions: [ESTABLISHED, IN_PROGRESS], meta: dying }, want: "empty" },
  { name: "one that never was established has nothing to empty", given: { conditions: [IN_PROGRESS], meta: dying }, want: "release" },
  {
    name: "one that others hold",
    given: { conditions: [ESTABLISHED, IN_PROGRESS], meta: { deletionTimestamp: NOW, finalizers: ["x.dev/other"] } },
    want: "nothing",
  },
] satisfies { name: string; given: Options; others?: CustomResourceDefinition[]; want: string }[]) {
  test(name, () => assert.equal(told(planDefinition({ definition: definition(given), others, now: NOW })), want));
}

test("a plan that was carried out asks for nothing more", () => {
  let current = definition();
  for (let step = planDefinition({ definition: current, others: [], now: NOW }), steps = 0; step.do !== "nothing"; steps++) {
    assert.ok(steps < 5 && step.do === "status", "it comes to an end");
    current = { ...current, status: step.status };
    step = planDefinition({ definition: current, others: [], now: NOW });
  }
  assert.equal(current.status?.acceptedNames?.listKind, "ThingList");
});
