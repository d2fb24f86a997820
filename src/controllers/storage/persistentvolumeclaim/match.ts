// Which volumes that are there already fit a claim, and which of them fits best. Pure.
import { storageClassOf, type PersistentVolume, type PersistentVolumeClaim } from "#kinds";
import { compareQuantities, matchesLabels, parseQuantity, requirementsOf, type Quantity } from "#schema";

export function sizeOf(resources: Readonly<Record<string, string | number>> | undefined): Quantity {
  return parseQuantity(resources?.["storage"] ?? "0") ?? { nano: 0n, format: "BinarySI" };
}

/** Kubernetes' words for why a claim does not get the volume that it names; undefined when it does. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  const asked = sizeOf(claim.spec.resources?.requests);
  if (compareQuantities(sizeOf(volume.spec.capacity), asked) < 0) return "requested PV is too small";
  if ((storageClassOf(volume) ?? "") !== (storageClassOf(claim) ?? "")) return "storageClassName does not match";
  if ((volume.spec.volumeMode ?? "Filesystem") !== (claim.spec.volumeMode ?? "Filesystem")) return "incompatible volumeMode";
  return (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)) ? undefined : "incompatible accessMode";
}

/** Whether the volume is kept for this claim, or is its own. */
export function isFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (claimRef?.namespace !== metadata.namespace || claimRef?.name !== metadata.name) return false;
  return (claimRef?.uid ?? "") === "" || claimRef?.uid === metadata.uid;
}

/** The smallest that is large enough; of equally large ones the first by name. */
export function bestOf(volumes: readonly PersistentVolume[], claim: PersistentVolumeClaim): PersistentVolume | undefined {
  const wanted = requirementsOf(claim.spec.selector) ?? [];
  const fits = (volume: PersistentVolume): boolean =>
    volume.metadata.deletionTimestamp === undefined &&
    volume.status?.phase === "Available" &&
    mismatch(volume, claim) === undefined &&
    matchesLabels(wanted, volume.metadata.labels);
  return volumes
    .filter(fits)
    .toSorted((a, b) => compareQuantities(sizeOf(a.spec.capacity), sizeOf(b.spec.capacity)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}
