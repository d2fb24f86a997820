// Which volume a claim gets: the table of plan.ts, row by row.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#kinds";
import { deepFreeze } from "#schema";
import type { ObservedClaim } from "./observe.ts";
import { planClaim } from "./plan.ts";

const ROOT = "/data/claims";
const FOLDER = `${ROOT}/pvc-u1_team_data`;

type ClaimSpec = PersistentVolumeClaim["spec"];
type ClaimMeta = Partial<PersistentVolumeClaim["metadata"]>;

function claim(spec: ClaimSpec = {}, metadata: ClaimMeta = {}, phase = "Pending"): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { namespace: "team", name: "data", uid: "u1", resourceVersion: "7", creationTimestamp: "", ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "standard", volumeMode: "Filesystem", ...spec },
    status: { phase },
  };
}

function volume(name: string, spec: PersistentVolume["spec"] = {}, metadata: Partial<PersistentVolume["metadata"]> = {}): PersistentVolume {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, uid: `uid-${name}`, resourceVersion: "3", creationTimestamp: "", ...metadata },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "standard", volumeMode: "Filesystem", ...spec },
    status: { phase: spec.claimRef === undefined ? "Available" : "Bound" },
  };
}

function storageClass(over: Partial<StorageClass> = {}): StorageClass {
  const metadata = { name: "standard", uid: "c", resourceVersion: "1", creationTimestamp: "" };
  return {
    apiVersion: "",
    kind: "StorageClass",
    metadata,
    provisioner: "eider.dev/local-path",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
    ...over,
  };
}

const delayed = storageClass({ volumeBindingMode: "WaitForFirstConsumer" });
const mine = { namespace: "team", name: "data", uid: "u1" };
const DONE = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };

type Given = Partial<Omit<ObservedClaim, "claim">> & { readonly claim: PersistentVolumeClaim };

/** What a plan comes to, one word or line each: patches, volumes made, folders made, phase, events, whether it looks again. */
function outcome(given: Given): readonly string[] {
  const place = { root: ROOT, nodeName: "here" };
  const observed: ObservedClaim = { storageClass: undefined, volume: undefined, reserved: [], free: [], usedBy: [], nowMs: { monotonic: 5 }, place, ...given };
  const plan = planClaim(deepFreeze(observed));
  const status = plan.status as { phase?: string; capacity?: { storage?: string } } | undefined;
  return [
    ...(plan.patches ?? []).map(({ kind, name, body }) => {
      const { spec, metadata } = body as { spec?: { volumeName?: string }; metadata: { resourceVersion?: string; finalizers?: string[] } };
      assert.ok(metadata.resourceVersion !== undefined, "whoever is quicker wins");
      const finalizers = metadata.finalizers === undefined ? "" : ` held by [${metadata.finalizers.join()}]`;
      return `patch ${kind.kind} ${name}${spec?.volumeName === undefined ? "" : ` → ${spec.volumeName}`}${finalizers}`;
    }),
    ...(plan.desired ?? []).map(({ object }) => `create ${object.metadata.name ?? ""}`),
    ...(plan.effects ?? []).map(({ path }) => `folder ${path}`),
    ...(status?.phase === undefined ? [] : [`${status.phase}${status.capacity?.storage === undefined ? "" : ` ${status.capacity.storage}`}`]),
    ...(plan.events ?? []).map(({ reason, message }) => `${reason}: ${message}`),
    ...(plan.wakeAtMs === undefined ? [] : ["again"]),
  ];
}

const held = { finalizers: ["kubernetes.io/pvc-protection", "mine"], deletionTimestamp: "2026-01-01T00:00:00Z" };
const table: readonly { readonly name: string; readonly given: Given; readonly want: readonly string[] }[] = [
  { name: "a deleted one that a pod uses stays", given: { claim: claim({}, held), usedBy: ["p"] }, want: [] },
  {
    name: "a deleted one that no pod uses is let go by us alone",
    given: { claim: claim({}, held) },
    want: ["patch PersistentVolumeClaim data held by [mine]"],
  },
  {
    name: "it is bound to its own volume, whose folder is made once more while it is not",
    given: {
      claim: claim({ volumeName: "pvc-u1" }),
      volume: volume("pvc-u1", { claimRef: mine }, { annotations: { "pv.kubernetes.io/provisioned-by": "eider.dev/local-path" } }),
    },
    want: ["patch PersistentVolumeClaim data", `folder ${FOLDER}`, "Bound 1Gi"],
  },
  { name: "what is bound stays so", given: { claim: claim({ volumeName: "v" }, DONE, "Bound"), volume: volume("v", { claimRef: mine }) }, want: ["Bound 1Gi"] },
  {
    name: "a volume that it names and that is free is taken",
    given: { claim: claim({ volumeName: "v" }), volume: volume("v", { capacity: { storage: "2Gi" } }) },
    want: ["patch PersistentVolume v", "patch PersistentVolumeClaim data", "Bound 2Gi"],
  },
  {
    name: "one that is too small is not",
    given: { claim: claim({ volumeName: "v" }), volume: volume("v", { capacity: { storage: "1Mi" } }) },
    want: ["Pending", 'VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small', "again"],
  },
  {
    name: "nor one of another claim",
    given: { claim: claim({ volumeName: "v" }), volume: volume("v", { claimRef: { ...mine, uid: "u0" } }) },
    want: ["Pending", 'FailedBinding: volume "v" already bound to a different claim.', "again"],
  },
  { name: "one that is not there yet is waited for", given: { claim: claim({ volumeName: "v" }) }, want: ["Pending", "again"] },
  {
    name: "one that was there is lost",
    given: { claim: claim({ volumeName: "v" }, DONE, "Bound") },
    want: ["Lost", "ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!"],
  },
  {
    name: "a volume that is kept for it comes before smaller ones",
    given: {
      claim: claim(),
      storageClass: delayed,
      reserved: [volume("kept", { claimRef: { namespace: "team", name: "data" }, capacity: { storage: "9Gi" } })],
      free: [volume("a")],
    },
    want: ["patch PersistentVolume kept", "patch PersistentVolumeClaim data → kept", "Bound 9Gi"],
  },
  {
    name: "of free ones that fit, the smallest",
    given: {
      claim: claim({ storageClassName: "", selector: { matchLabels: { fast: "yes" } } }),
      free: [
        volume("large", { capacity: { storage: "8Gi" }, storageClassName: "" }, { labels: { fast: "yes" } }),
        volume("fits", { capacity: { storage: "2Gi" }, storageClassName: "" }, { labels: { fast: "yes" } }),
        volume("slow", { capacity: { storage: "1Gi" }, storageClassName: "" }),
        volume("classy", {}, { labels: { fast: "yes" } }),
      ],
    },
    want: ["patch PersistentVolume fits", "patch PersistentVolumeClaim data → fits", "Bound 2Gi"],
  },
  {
    name: "a class that waits for a pod has it wait, whatever is free",
    given: { claim: claim(), storageClass: delayed, free: [volume("a")] },
    want: ["Pending", "WaitForFirstConsumer: waiting for first consumer to be created before binding"],
  },
  {
    name: "with a pod, a volume and its folder are made",
    given: { claim: claim(), storageClass: delayed, usedBy: ["p"] },
    want: ["patch PersistentVolumeClaim data", "create pvc-u1", `folder ${FOLDER}`, "Pending", "again"],
  },
  {
    name: "what cannot be made is told",
    given: { claim: claim({ volumeMode: "Block" }), storageClass: storageClass() },
    want: [
      "Pending",
      'ProvisioningFailed: failed to provision volume with StorageClass "standard": eider.dev/local-path does not support block volume provisioning',
      "again",
    ],
  },
  {
    name: "a class that is not there is told",
    given: { claim: claim({ storageClassName: "fast" }) },
    want: ["Pending", 'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found', "again"],
  },
  {
    name: "no class and nothing free",
    given: { claim: claim({ storageClassName: "" }) },
    want: ["Pending", "FailedBinding: no persistent volumes available for this claim and no storage class is set", "again"],
  },
];
for (const { name, given, want } of table) test(`planClaim: ${name}`, () => assert.deepEqual(outcome(given), want));

test("planClaim: another's provisioner is told by annotations whom it is for", () => {
  const plan = planClaim({
    claim: claim(),
    storageClass: storageClass({ provisioner: "example.com/disk", volumeBindingMode: "WaitForFirstConsumer" }),
    volume: undefined,
    reserved: [],
    free: [],
    usedBy: ["p"],
    nowMs: { monotonic: 0 },
    place: { root: ROOT, nodeName: "here" },
  });
  const [marked] = plan.patches ?? [];
  assert.ok(marked !== undefined);
  assert.deepEqual((marked.body as { metadata: { annotations: object } }).metadata.annotations, {
    "volume.beta.kubernetes.io/storage-provisioner": "example.com/disk",
    "volume.kubernetes.io/storage-provisioner": "example.com/disk",
    "volume.kubernetes.io/selected-node": "here",
  });
  assert.deepEqual([plan.desired, plan.events?.[0]?.reason], [undefined, "ExternalProvisioning"]);
});
