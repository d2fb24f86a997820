// Decides the phase of a volume, and what becomes of it when its claim is gone.
//
// | names a claim | the claim | policy | then |
// |---|---|---|---|
// | no, or only by its name | – | – | Available |
// | yes | is there and names the volume | – | Bound |
// | yes | is there and names none yet | – | as it is |
// | yes | gone, or bound elsewhere | Retain | Released |
// | yes | gone, or bound elsewhere | Delete | it is deleted; Failed when its files are not ours |
//
// A deleted one stays while a claim has it; then its files go, where they are ours and the policy is Delete, and after them the object.
import { PersistentVolume, VOLUME_PROTECTION, type PersistentVolumeStatus } from "#kinds";
import type { Patch, Plan } from "#reconcile";
import type { Kind } from "#schema";
import { PROVISIONED_BY, PROVISIONER } from "../provisioner.ts";
import type { ObservedVolume } from "./observe.ts";

export type VolumeEffect =
  | { readonly do: "removeFolder"; readonly path: string }
  | { readonly do: "letGo"; readonly patch: Patch }
  | { readonly do: "delete"; readonly name: string; readonly uid: string };

type VolumePlan = Plan<VolumeEffect>;

/** The folder that this platform made for a claim and deletes with it. */
function madeBy({ metadata, spec }: PersistentVolume): string | undefined {
  const ours = metadata.annotations?.[PROVISIONED_BY] === PROVISIONER && spec.persistentVolumeReclaimPolicy === "Delete";
  return ours ? spec.local?.path : undefined;
}

function phaseOf({ volume: { metadata, spec, status }, claim }: ObservedVolume): "Available" | "Bound" | "Released" | undefined {
  const { uid = "" } = spec.claimRef ?? {};
  if (uid === "") return "Available";
  if (claim?.metadata.uid !== uid) return "Released";
  const { volumeName = "" } = claim.spec;
  if (volumeName === "") return status?.phase === "Pending" ? "Available" : undefined;
  return volumeName === metadata.name ? "Bound" : "Released";
}

function statusOf({ status = {} }: PersistentVolume, phase: string, message?: string): PersistentVolumeStatus {
  const { message: _, ...rest } = status;
  return { ...rest, phase, ...(message === undefined ? {} : { message }) };
}

export function planVolume(observed: ObservedVolume): VolumePlan {
  const { volume } = observed;
  const { finalizers = [], deletionTimestamp, name, uid } = volume.metadata;
  const phase = phaseOf(observed);
  const made = phase === "Released" ? madeBy(volume) : undefined;
  if (deletionTimestamp !== undefined) {
    if (phase === "Bound" || !finalizers.includes(VOLUME_PROTECTION)) return { desired: undefined };
    const patch = letGo(volume);
    return { desired: undefined, effects: [...(made === undefined ? [] : [{ do: "removeFolder", path: made } as const]), { do: "letGo", patch }] };
  }
  if (phase !== "Released") return phase === undefined ? { desired: undefined } : { desired: undefined, status: statusOf(volume, phase) };
  const { persistentVolumeReclaimPolicy: policy } = volume.spec;
  const released = { desired: undefined, status: statusOf(volume, "Released") };
  if (policy === "Retain") return released;
  return made === undefined ? failed(volume, policy === "Recycle" ? "recyclable" : "deletable") : { ...released, effects: [{ do: "delete", name, uid }] };
}

/** Nobody here knows how to get rid of what is in it. */
function failed(volume: PersistentVolume, what: "recyclable" | "deletable"): VolumePlan {
  const message = `error getting ${what === "deletable" ? "deleter" : "recycler"} volume plugin for volume ${JSON.stringify(volume.metadata.name)}: no ${what} volume plugin matched`;
  const reason = what === "deletable" ? "VolumeFailedDelete" : "VolumeFailedRecycle";
  const told = volume.status?.phase === "Failed";
  return { desired: undefined, status: statusOf(volume, "Failed", message), events: told ? [] : [{ type: "Warning", reason, message }] };
}

function letGo({ metadata: { name, resourceVersion, finalizers = [] } }: PersistentVolume): Patch {
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== VOLUME_PROTECTION) } };
  return { kind: PersistentVolume as unknown as Kind, namespace: "", name, type: "application/merge-patch+json", body };
}
