// Decides which volume a claim gets, whether one is made for it, and when it may go.
//
// | deleted | names a volume | volume | then |
// |---|---|---|---|
// | yes | – | – | let go once no pod uses it |
// | no | yes | its own, or free and fitting | Bound |
// | no | yes | not there, or another's | Lost when it was bound before, else Pending |
// | no | no | one kept for it, or the smallest free one that fits | bind |
// | no | no | none, and the class waits for a pod | Pending |
// | no | no | none, and the class is ours | make one |
// | no | no | none | Pending, and why |
import { CLAIM_PROTECTION, PersistentVolume, PersistentVolumeClaim, storageClassOf, type PersistentVolumeClaimStatus } from "#kinds";
import type { Patch, Plan, PlanEvent } from "#reconcile";
import type { Kind } from "#schema";
import { cannotMake, folderFor, PROVISIONED_BY, PROVISIONER, volumeFor, volumeNameFor } from "../provisioner.ts";
import { bestOf, isFor, mismatch } from "./match.ts";
import type { ObservedClaim } from "./observe.ts";

/** A folder for a claim; made again and again. */
export interface MakeFolder {
  readonly do: "makeFolder";
  readonly path: string;
}

type ClaimPlan = Plan<MakeFolder>;

const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
const PROVISIONED_FOR = ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** A class whose volumes somebody makes by hand. */
const NO_PROVISIONER = "kubernetes.io/no-provisioner";
/** What a claim waits for may come without a word: Kubernetes, too, looks again after this time. */
const LOOK_AGAIN_MS = 15_000;

const normal = (reason: string, message: string): PlanEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): PlanEvent => ({ type: "Warning", reason, message });

export function planClaim(observed: ObservedClaim): ClaimPlan {
  const { claim, usedBy } = observed;
  const { finalizers = [], deletionTimestamp } = claim.metadata;
  if (deletionTimestamp !== undefined) {
    if (usedBy.length > 0 || !finalizers.includes(CLAIM_PROTECTION)) return { desired: undefined };
    return { desired: undefined, patches: [patchOf(claim, { metadata: { finalizers: finalizers.filter((one) => one !== CLAIM_PROTECTION) } })] };
  }
  return (claim.spec.volumeName ?? "") === "" ? planUnbound(observed) : planNamed(observed);
}

/** A change of the claim as it was seen. */
function patchOf({ metadata }: PersistentVolumeClaim, body: { readonly metadata?: object; readonly spec?: object }): Patch {
  const { namespace = "", name, resourceVersion } = metadata;
  return {
    kind: PersistentVolumeClaim as unknown as Kind,
    namespace,
    name,
    type: "application/merge-patch+json",
    body: { ...body, metadata: { ...body.metadata, resourceVersion } },
  };
}

/** The volume is the claim's from now on; another claim that was quicker makes this a conflict. */
function reserve({ metadata: { name, resourceVersion } }: PersistentVolume, claim: PersistentVolumeClaim): Patch {
  const { namespace = "", name: claimName, uid, resourceVersion: seen } = claim.metadata;
  const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claimName, uid, resourceVersion: seen };
  const metadata = { resourceVersion, annotations: { [BOUND_BY_CONTROLLER]: "yes" } };
  return { kind: PersistentVolume as unknown as Kind, namespace: "", name, type: "application/merge-patch+json", body: { metadata, spec: { claimRef } } };
}

function bind(observed: ObservedClaim, volume: PersistentVolume): ClaimPlan {
  const { claim, place } = observed;
  const { annotations = {}, uid } = claim.metadata;
  const chosen = (claim.spec.volumeName ?? "") === "";
  const done = annotations[BIND_COMPLETED] === "yes";
  const marks = { [BIND_COMPLETED]: "yes", ...(chosen ? { [BOUND_BY_CONTROLLER]: "yes" } : {}) };
  const own = volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER && volume.metadata.name === volumeNameFor(claim);
  const status: PersistentVolumeClaimStatus = {
    ...claim.status,
    phase: "Bound",
    ...(volume.spec.accessModes === undefined ? {} : { accessModes: volume.spec.accessModes }),
    ...(volume.spec.capacity === undefined ? {} : { capacity: volume.spec.capacity }),
  };
  return {
    desired: undefined,
    patches: [
      ...(volume.spec.claimRef?.uid === uid ? [] : [reserve(volume, claim)]),
      ...(done && !chosen ? [] : [patchOf(claim, { metadata: { annotations: marks }, ...(chosen ? { spec: { volumeName: volume.metadata.name } } : {}) })]),
    ],
    // Whoever sees it bound finds the folder, also when the platform was killed before it made it.
    effects: own && claim.status?.phase !== "Bound" ? [{ do: "makeFolder", path: folderFor(claim, place.root) }] : [],
    status,
  };
}

function pending({ claim, nowMs }: ObservedClaim, event: PlanEvent | undefined, looksAgain = true): ClaimPlan {
  return {
    desired: undefined,
    status: { ...claim.status, phase: "Pending" },
    ...(event === undefined ? {} : { events: [event] }),
    ...(looksAgain ? { wakeAtMs: nowMs.monotonic + LOOK_AGAIN_MS } : {}),
  };
}

function lost({ claim }: ObservedClaim, event: PlanEvent): ClaimPlan {
  return { desired: undefined, status: { ...claim.status, phase: "Lost" }, events: claim.status?.phase === "Lost" ? [] : [event] };
}

function planNamed(observed: ObservedClaim): ClaimPlan {
  const { claim, volume } = observed;
  const name = JSON.stringify(claim.spec.volumeName);
  const wasBound = claim.metadata.annotations?.[BIND_COMPLETED] === "yes";
  if (volume === undefined) {
    return wasBound
      ? lost(observed, warning("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"))
      : pending(observed, undefined);
  }
  if (volume.spec.claimRef !== undefined && !isFor(volume, claim)) {
    if (!wasBound) return pending(observed, warning("FailedBinding", `volume ${name} already bound to a different claim.`));
    return lost(observed, warning("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly"));
  }
  const why = wasBound || volume.spec.claimRef?.uid === claim.metadata.uid ? undefined : mismatch(volume, claim);
  return why === undefined ? bind(observed, volume) : pending(observed, warning("VolumeMismatch", `Cannot bind to requested volume ${name}: ${why}`));
}

function planUnbound(observed: ObservedClaim): ClaimPlan {
  const { claim, storageClass, reserved, free, usedBy } = observed;
  const kept = reserved.find((volume) => isFor(volume, claim) && mismatch(volume, claim) === undefined);
  const waits = storageClass?.volumeBindingMode === "WaitForFirstConsumer" && usedBy.length === 0;
  const volume = kept ?? (waits ? undefined : bestOf(free, claim));
  if (volume !== undefined) return bind(observed, volume);
  if (waits) return pending(observed, normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding"), false);
  const className = storageClassOf(claim) ?? "";
  if (className === "") return pending(observed, normal("FailedBinding", "no persistent volumes available for this claim and no storage class is set"));
  if (storageClass === undefined) return pending(observed, warning("ProvisioningFailed", `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`));
  return storageClass.provisioner === PROVISIONER ? planOwn(observed, storageClass) : planOthers(observed, storageClass);
}

/** Marks that a provisioner looks for, where they are not there. */
function asked({ claim, place }: ObservedClaim, { provisioner, volumeBindingMode }: NonNullable<ObservedClaim["storageClass"]>): readonly Patch[] {
  const delayed = volumeBindingMode === "WaitForFirstConsumer";
  const wanted = { ...Object.fromEntries(PROVISIONED_FOR.map((key) => [key, provisioner])), ...(delayed ? { [SELECTED_NODE]: place.nodeName } : {}) };
  const { annotations = {} } = claim.metadata;
  return Object.entries(wanted).every(([key, value]) => annotations[key] === value) ? [] : [patchOf(claim, { metadata: { annotations: wanted } })];
}

/** Another program makes the volume, or a person does. */
function planOthers(observed: ObservedClaim, storageClass: NonNullable<ObservedClaim["storageClass"]>): ClaimPlan {
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) return pending(observed, undefined);
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return { ...pending(observed, normal("ExternalProvisioning", message)), patches: asked(observed, storageClass) };
}

function planOwn(observed: ObservedClaim, storageClass: NonNullable<ObservedClaim["storageClass"]>): ClaimPlan {
  const { claim, place } = observed;
  const why = cannotMake(claim);
  if (why !== undefined) {
    const message = `failed to provision volume with StorageClass ${JSON.stringify(storageClass.metadata.name)}: ${why}`;
    return pending(observed, warning("ProvisioningFailed", message));
  }
  const path = folderFor(claim, place.root);
  return {
    ...pending(observed, undefined),
    patches: asked(observed, storageClass),
    desired: [
      {
        kind: PersistentVolume,
        unowned: true,
        object: volumeFor(claim, storageClass, { path, nodeName: place.nodeName }),
        merge: () => undefined,
        onCreated: ({ metadata: { name } }) => normal("ProvisioningSucceeded", `Successfully provisioned volume ${name}`),
      },
    ],
    effects: [{ do: "makeFolder", path }],
  };
}
