// From what belongs to a Revision to the key that the Revision, its PodAutoscaler and its ServerlessService share.
import { serving } from "#kinds";
import type { KubeObject, ObjectKey } from "#schema";

/** Deployments and pods carry their Revision's name as a label. */
export function keyOfRevision({ metadata }: KubeObject): readonly ObjectKey[] {
  const name = metadata.labels?.[serving.revision];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? "", name }];
}
