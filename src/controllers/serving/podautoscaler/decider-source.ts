// What the PodAutoscaler controller asks of the autoscaler; `Deciders` of the room autoscaler fits it.
import type { DeciderStatus, PodCounts, RevisionSettings } from "#autoscaler";

/** Keys are `namespace/revision`. Whoever plugs it in requeues a key when its decision changes. */
export interface DeciderSource {
  /** Creates or updates the decider and tells its latest decision. */
  ensure(key: string, settings: RevisionSettings, pods: PodCounts): DeciderStatus;
  remove(key: string): void;
}
