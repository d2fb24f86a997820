// GET /debug/eider/explain?revision=NAMESPACE/NAME: why a revision has as many pods as it has.
import type { Deciders, Explained, RevisionSnapshot } from "#autoscaler";

export interface ExplainDocument extends RevisionSnapshot {
  /** The latest evaluations, oldest first. */
  readonly decisions: readonly Explained[];
}

/** Undefined when the autoscaler knows no such revision. */
export function explained(deciders: Deciders, key: string): ExplainDocument | undefined {
  const snapshot = [...deciders.snapshots()].find((revision) => revision.key === key);
  return snapshot === undefined ? undefined : { ...snapshot, decisions: deciders.explain(key) };
}
