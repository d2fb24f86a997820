// Owners of an object that a client names more than once.
import { equal, type KubeObject, type OwnerReference } from "#schema";

/** The object with each owner once; tells which were there twice, and `when` that was seen. */
export function withOwnersOnce(object: KubeObject, warn: (text: string) => void, when = ""): KubeObject {
  const owners = object.metadata.ownerReferences ?? [];
  const kept: OwnerReference[] = [];
  const twice: string[] = [];
  for (const owner of owners) {
    if (kept.some((other) => other.uid === owner.uid && equal(other, owner))) twice.push(owner.uid);
    else kept.push(owner);
  }
  if (twice.length === 0) return object;
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${twice.join(", ")}`,
  );
  return { ...object, metadata: { ...object.metadata, ownerReferences: kept } };
}
