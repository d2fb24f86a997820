// PersistentVolumes: free, bound, or left by their claim; what this platform made for a claim goes with it.
import { isReason } from "#core";
import { PersistentVolume, PersistentVolumeClaim } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import { volumeNameFor, type ClaimFolders } from "../provisioner.ts";
import { observeVolume, type ObservedVolume } from "./observe.ts";
import { planVolume, type VolumeEffect } from "./plan.ts";

const claims: Watched<PersistentVolumeClaim> = {
  kind: PersistentVolumeClaim,
  // Also the one that was made for it and that it does not name yet.
  keys: (claim) => [...new Set([claim.spec.volumeName ?? "", volumeNameFor(claim)])].filter((name) => name !== "").map((name) => ({ namespace: "", name })),
};

export function persistentVolumeController({ folders }: { readonly folders: ClaimFolders }): Controller<PersistentVolume, ObservedVolume, VolumeEffect> {
  return {
    name: "persistentvolume-binder",
    primary: PersistentVolume,
    owns: [],
    watches: [claims as unknown as Watched],
    observe: observeVolume,
    plan: planVolume,
    primaryOf: ({ volume }) => volume,
    async runEffect(effect, { client }) {
      if (effect.do === "removeFolder") return folders.remove(effect.path);
      try {
        if (effect.do === "delete") await client.delete(PersistentVolume, { namespace: "", name: effect.name }, { preconditions: { uid: effect.uid } });
        else await client.patch(PersistentVolume, { namespace: "", name: effect.patch.name }, effect.patch);
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    },
  };
}
