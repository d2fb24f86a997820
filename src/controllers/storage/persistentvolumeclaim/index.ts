// PersistentVolumeClaims: bound to a volume that is there or is made for them, and held while pods use them.
import type { InformerSet } from "#client";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import type { ClaimFolders } from "../provisioner.ts";
import { observeClaim, type ObservedClaim } from "./observe.ts";
import { planClaim, type MakeFolder } from "./plan.ts";

export interface ClaimControllerOptions {
  readonly informers: InformerSet;
  readonly folders: ClaimFolders;
  readonly nodeName: string;
}

const pods: Watched<Pod> = {
  kind: Pod,
  read: true,
  keys: ({ metadata: { namespace = "" }, spec }) =>
    (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: used }) => (used === undefined ? [] : [{ namespace, name: used.claimName }])),
};

const volumes: Watched<PersistentVolume> = {
  kind: PersistentVolume,
  read: true,
  keys: ({ spec: { claimRef } }) => (claimRef?.name === undefined ? [] : [{ namespace: claimRef.namespace ?? "", name: claimRef.name }]),
};

export function persistentVolumeClaimController(options: ClaimControllerOptions): Controller<PersistentVolumeClaim, ObservedClaim, MakeFolder> {
  const { informers, folders, nodeName } = options;
  const all = informers.of(PersistentVolume, "free", ({ metadata: { name }, spec }) => ({ name, free: spec.claimRef === undefined }));
  const around = { volumes: all, place: { root: folders.root, nodeName } };
  return {
    name: "persistentvolume-controller",
    primary: PersistentVolumeClaim,
    owns: [],
    watches: [pods as unknown as Watched, volumes as unknown as Watched],
    observe: (key, world) => observeClaim(key, world, around),
    plan: planClaim,
    primaryOf: ({ claim }) => claim,
    runEffect: ({ path }) => folders.make(path),
  };
}
