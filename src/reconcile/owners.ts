// Owner references: who made an object and takes it along when it goes.
import { apiVersionOf, type Kind, type KubeObject, type ObjectMeta, type OwnerReference } from "#schema";

/** The reference by which `owner` controls a child; its deletion waits for the child in the foreground. */
export function ownerReferenceFor(
  kind: Pick<Kind, "group" | "version" | "kind">,
  owner: { readonly metadata: Pick<ObjectMeta, "name" | "uid"> },
): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true, blockOwnerDeletion: true };
}

/** The reference to the one owner that controls the object, or undefined. */
export function controllerOf(object: { readonly metadata: Pick<KubeObject["metadata"], "ownerReferences"> }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}
