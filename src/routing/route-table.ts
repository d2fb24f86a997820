// The routing state of the control thread: takes objects as they change, gives deltas, follows acknowledgements.
import type { RouteDelta } from "#protocol";
import type { Ingress, Pod, Revision } from "#kinds";

export interface RouteTableOptions {
  /** Ingresses of other classes are not ours. */
  readonly ingressClass: string;
  /** Rows of the shared in-flight table: the number of pods that can be routed to at once. */
  readonly slots: number;
}

/** Cost goes by the change: upserts mark keys dirty, `flush` plans the dirty ones only. Keys are `namespace/name`. */
export class RouteTable {
  constructor(_options: RouteTableOptions) {}
  upsertIngress(_ingress: Ingress): void {}
  removeIngress(_key: string): void {}
  upsertRevision(_revision: Revision): void {}
  removeRevision(_key: string): void {}
  upsertPod(_pod: Pod): void {}
  removePod(_key: string): void {}
  /** The next generation with all changes since the last flush; undefined when nothing changed. Send it to every live thread. */
  flush(): RouteDelta | undefined {
    return undefined;
  }
  /** A thread (re)started: everything in force, as its first batch. */
  threadStarted(_thread: number): RouteDelta {
    throw new Error("being written");
  }
  /** A thread died: it acknowledges and drains no more (call `subtractThread` first). Answers what that settled. */
  threadStopped(_thread: number): Settled {
    throw new Error("being written");
  }
  /** A thread acknowledged a generation. Answers what that settled. */
  acknowledged(_thread: number, _generation: number): Settled {
    throw new Error("being written");
  }
  /** A thread has no request left on a pod that was taken out. */
  drained(_thread: number, _pod: string, _generation: number): Settled {
    throw new Error("being written");
  }
  /** Whether the Ingress, as last upserted, is in force in every live thread. */
  isInForce(_ingressKey: string): boolean {
    return false;
  }
  /** Whether no live thread sends or runs requests on this pod (uid); true for pods never routed to. */
  isDrained(_podUid: string): boolean {
    return true;
  }
}

/** What an acknowledgement settled. */
export interface Settled {
  /** Keys of Ingresses that are now in force in every thread. */
  readonly ingresses: readonly string[];
  /** Uids of pods that nobody uses any more. */
  readonly pods: readonly string[];
}
