// What is in use is held: finalizers that claims and volumes are born with.
import type { KubeObject } from "#schema";

/** Held by pods that use the claim. */
export const CLAIM_PROTECTION = "kubernetes.io/pvc-protection";
/** Held by the claim that the volume is bound to. */
export const VOLUME_PROTECTION = "kubernetes.io/pv-protection";

/** New objects are held by `finalizer`. */
export function withFinalizer<O extends KubeObject>(object: O, finalizer: string): O {
  const { finalizers = [] } = object.metadata;
  return finalizers.includes(finalizer) ? object : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}
