// What happens to claims as they are made and changed: held while they are in use, and with the class that is meant for all.
import { forbidden } from "#core";
import type { Admit } from "#schema";
import type { PersistentVolumeClaim } from "../core/persistent-volume-claim.ts";
import { storageClassOf } from "../core/storage-checks.ts";
import { CLAIM_PROTECTION, withFinalizer } from "../core/storage-protection.ts";
import { isDefaultClass, type StorageClass } from "./storage-class.ts";

/** The newest default, of equally old ones the first by name. */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const newestFirst = (a: StorageClass, b: StorageClass): number => {
    const [older, newer] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
    if (older !== newer) return older < newer ? 1 : -1;
    return a.metadata.name < b.metadata.name ? -1 : 1;
  };
  return classes.filter(isDefaultClass).toSorted(newestFirst)[0];
}

export interface ClaimAdmissionOptions {
  readonly classes: () => Promise<readonly StorageClass[]>;
}

const RESIZE = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";

/** Throws Forbidden for a size that grows where the class does not let it. */
export function claimAdmission({ classes }: ClaimAdmissionOptions): Admit<PersistentVolumeClaim> {
  return async ({ operation, subresource, object, old }) => {
    if (subresource !== "" || operation === "DELETE") return { object, warnings: [] };
    if (operation === "UPDATE") {
      const sizes = [object, old].map((claim) => String(claim?.spec.resources?.requests?.["storage"] ?? ""));
      const bound = old?.status?.phase === "Bound" && sizes[0] !== sizes[1];
      const its = bound ? (await classes()).find(({ metadata }) => metadata.name === storageClassOf(old)) : undefined;
      if (bound && its?.allowVolumeExpansion !== true) throw forbidden({ group: "", resource: "persistentvolumeclaims" }, object.metadata.name, RESIZE);
    }
    const held = operation === "CREATE" ? withFinalizer(object, CLAIM_PROTECTION) : object;
    if (storageClassOf(held) !== undefined) return { object: held, warnings: [] };
    const chosen = operation === "CREATE" ? defaultClassOf(await classes()) : undefined;
    return { object: chosen === undefined ? held : { ...held, spec: { ...held.spec, storageClassName: chosen.metadata.name } }, warnings: [] };
  };
}
