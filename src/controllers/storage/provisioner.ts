// What this platform's own provisioner makes: a folder of the machine for each claim, named by the claim.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "#kinds";
import type { Draft } from "#schema";

export const PROVISIONER = "eider.dev/local-path";
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
const HOSTNAME = "kubernetes.io/hostname";

/** Where claims' folders are made; the controllers decide, this does. */
export interface ClaimFolders {
  /** Absolute; all folders lie right below it. */
  readonly root: string;
  /** Again and again is fine. */
  make(path: string): Promise<void>;
  /** With all that is in it. Again and again is fine; refuses what does not lie right below `root`. */
  remove(path: string): Promise<void>;
}

/** What pods get who name no class, as on kind and k3s: a folder once a pod wants it, deleted with the claim. */
export function standardClass(): Draft<StorageClass> {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: PROVISIONER,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };
}

export function volumeNameFor({ metadata: { uid } }: PersistentVolumeClaim): string {
  return `pvc-${uid}`;
}

/** Named so that somebody who looks at the disk knows whose it is. */
export function folderFor(claim: PersistentVolumeClaim, root: string): string {
  const { namespace = "", name } = claim.metadata;
  return `${root}/${volumeNameFor(claim)}_${namespace}_${name}`;
}

/** Why this provisioner cannot make what is asked for; undefined when it can. */
export function cannotMake({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.selector !== undefined) return "claim Selector is not supported";
  if (spec.volumeMode === "Block") return `${PROVISIONER} does not support block volume provisioning`;
  return spec.dataSource === undefined && spec.dataSourceRef === undefined ? undefined : `${PROVISIONER} does not copy data into new volumes`;
}

export function volumeFor(
  claim: PersistentVolumeClaim,
  its: StorageClass,
  { path, nodeName }: { readonly path: string; readonly nodeName: string },
): Draft<PersistentVolume> {
  const { spec } = claim;
  const { namespace = "", name, uid, resourceVersion } = claim.metadata;
  const here = { matchExpressions: [{ key: HOSTNAME, operator: "In", values: [nodeName] }] };
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volumeNameFor(claim), annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: spec.resources?.requests?.["storage"] ?? "0" },
      accessModes: [...(spec.accessModes ?? [])],
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
      persistentVolumeReclaimPolicy: its.reclaimPolicy ?? "Delete",
      storageClassName: its.metadata.name,
      ...(its.mountOptions === undefined ? {} : { mountOptions: its.mountOptions }),
      volumeMode: "Filesystem",
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [here] } },
    },
  };
}
