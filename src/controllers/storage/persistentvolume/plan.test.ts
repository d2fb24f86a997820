// The phase of a volume and what becomes of it: the table of plan.ts, row by row.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim } from "#kinds";
import { deepFreeze } from "#schema";
import { planVolume } from "./plan.ts";

const REF = { namespace: "team", name: "data", uid: "u1" };
const OURS = { annotations: { "pv.kubernetes.io/provisioned-by": "eider.dev/local-path" } };
const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["kubernetes.io/pv-protection"] };

function volume(spec: PersistentVolume["spec"], metadata: Partial<PersistentVolume["metadata"]> = {}, phase = "Pending"): PersistentVolume {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "v", uid: "uv", resourceVersion: "3", creationTimestamp: "", ...metadata },
    spec: { local: { path: "/data/claims/v" }, persistentVolumeReclaimPolicy: "Delete", ...spec },
    status: { phase },
  };
}

function claim(volumeName: string, uid = "u1"): PersistentVolumeClaim {
  const metadata = { namespace: "team", name: "data", uid, resourceVersion: "1", creationTimestamp: "" };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: volumeName === "" ? {} : { volumeName } };
}

function outcome(given: PersistentVolume, of: PersistentVolumeClaim | undefined): readonly string[] {
  const plan = planVolume(deepFreeze({ volume: given, claim: of }));
  const effects = (plan.effects ?? []).map((effect) => (effect.do === "removeFolder" ? `remove ${effect.path}` : effect.do));
  const phase = (plan.status as { phase?: string } | undefined)?.phase;
  return [...(plan.patches ?? []).map(() => "patch"), ...effects, ...(phase === undefined ? [] : [phase]), ...(plan.events ?? []).map(({ reason }) => reason)];
}

const table = [
  { name: "no claim", given: volume({}), claim: undefined, want: ["Available"] },
  { name: "kept for a claim that has not come", given: volume({ claimRef: { namespace: "team", name: "data" } }), claim: undefined, want: ["Available"] },
  { name: "its claim names it", given: volume({ claimRef: REF }), claim: claim("v"), want: ["Bound"] },
  { name: "its claim names none yet", given: volume({ claimRef: REF }, OURS, "Available"), claim: claim(""), want: [] },
  {
    name: "its claim is gone, and it is to stay",
    given: volume({ claimRef: REF, persistentVolumeReclaimPolicy: "Retain" }, OURS),
    claim: undefined,
    want: ["Released"],
  },
  { name: "its claim is gone, and it is ours to delete", given: volume({ claimRef: REF }, OURS, "Bound"), claim: undefined, want: ["delete", "Released"] },
  { name: "a later claim of the same name is another", given: volume({ claimRef: REF }, OURS, "Bound"), claim: claim("v", "u2"), want: ["delete", "Released"] },
  { name: "its claim has another volume", given: volume({ claimRef: REF }, OURS, "Bound"), claim: claim("w"), want: ["delete", "Released"] },
  { name: "nobody knows how to delete what is not ours", given: volume({ claimRef: REF }), claim: undefined, want: ["Failed", "VolumeFailedDelete"] },
  { name: "deleted while its claim has it, it stays", given: volume({ claimRef: REF }, { ...OURS, ...GOING }, "Bound"), claim: claim("v"), want: [] },
  {
    name: "deleted after its claim, files go first",
    given: volume({ claimRef: REF }, { ...OURS, ...GOING }),
    claim: undefined,
    want: ["remove /data/claims/v", "letGo"],
  },
  {
    name: "deleted after its claim, files that are to stay do",
    given: volume({ claimRef: REF, persistentVolumeReclaimPolicy: "Retain" }, { ...OURS, ...GOING }),
    claim: undefined,
    want: ["letGo"],
  },
  { name: "deleted, files that are not ours stay", given: volume({ claimRef: REF }, GOING), claim: undefined, want: ["letGo"] },
];
for (const { name, given, claim: of, want } of table) test(`planVolume: ${name}`, () => assert.deepEqual(outcome(given, of), want));
