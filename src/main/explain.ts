// GET /debug/eider/explain and /debug/eider/recording, each ?revision=NAMESPACE/NAME: why a revision has as many pods as it has.
import type { Deciders, Explained, Recording, RevisionSnapshot } from "#autoscaler";
import { StatusError, type Clock } from "#core";

interface ExplainDocument extends RevisionSnapshot {
  /** On the clock of the decisions. */
  readonly nowMs: number;
  /** The latest evaluations, oldest first. */
  readonly decisions: readonly Explained[];
}

export function explainDocuments(deciders: () => Deciders, clock: Pick<Clock, "monotonicMs">): Readonly<Record<string, (query: URLSearchParams) => unknown>> {
  return {
    "/debug/eider/explain": (query) => explained(deciders(), query.get("revision") ?? "", clock.monotonicMs()),
    "/debug/eider/recording": (query) => recorded(deciders(), query.get("revision") ?? ""),
  };
}

function explained(deciders: Deciders, key: string, nowMs: number): ExplainDocument {
  const snapshot = [...deciders.snapshots()].find((revision) => revision.key === key);
  if (snapshot === undefined) throw new StatusError("NotFound", `the autoscaler knows no revision "${key}"`);
  return { ...snapshot, nowMs, decisions: deciders.explain(key) };
}

/** What the decisions came from. */
function recorded(deciders: Deciders, key: string): Recording {
  if (deciders.decision(key) === undefined) throw new StatusError("NotFound", `the autoscaler knows no revision "${key}"`);
  const recording = deciders.recording(key);
  if (recording === undefined) throw new StatusError("NotFound", `nothing is recorded of "${key}": it has been at rest, or too many others are busy`);
  return recording;
}
