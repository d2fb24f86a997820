// From watched objects to the gateway threads: informers feed the routing table, its deltas go out, acknowledgements come back.
import type { InformerSet } from "#client";
import { Ingress, Pod, Revision } from "#kinds";
import type { GatewayToControl, RouteDelta } from "#protocol";
import type { RouteTable, Settled } from "#routing";
import type { Kind, KubeObject } from "#schema";

export interface RoutesOptions {
  readonly informers: InformerSet;
  readonly table: RouteTable;
  readonly broadcast: (delta: RouteDelta) => void;
  /** Keys of Ingresses that are in force in every thread now. */
  readonly onInForce: (keys: readonly string[]) => void;
}

export class Routes {
  readonly #table: RouteTable;
  readonly #options: RoutesOptions;
  /** Generation of each Ingress as the table knows it. */
  readonly #generations = new Map<string, number>();
  readonly #drained = new Map<string, (() => void)[]>();
  #flushScheduled = false;
  /** Nothing is sent before: threads that serve by a restored table would take what has not been listed yet for gone. */
  #listed = false;
  /** The first lists are in: what the table does not know does not exist. */
  readonly synced: Promise<unknown>;

  constructor(options: RoutesOptions) {
    this.#table = options.table;
    this.#options = options;
    const ingresses = this.#follow(Ingress, (key, ingress) => {
      if (ingress === undefined) {
        this.#generations.delete(key);
        this.#table.removeIngress(key);
      } else {
        this.#generations.set(key, ingress.metadata.generation ?? 0);
        this.#table.upsertIngress(ingress);
      }
    });
    const revisions = this.#follow(Revision, (key, revision) =>
      revision === undefined ? this.#table.removeRevision(key) : this.#table.upsertRevision(revision),
    );
    const pods = this.#follow(Pod, (key, pod) => (pod === undefined ? this.#table.removePod(key) : this.#table.upsertPod(pod)));
    this.synced = Promise.all([ingresses.synced, revisions.synced, pods.synced]).then(() => {
      this.#listed = true;
      this.#flush();
    });
  }

  /** Whether all threads route by this generation of the Ingress. */
  isInForce(ingress: Ingress): boolean {
    const key = `${ingress.metadata.namespace ?? ""}/${ingress.metadata.name}`;
    return (this.#generations.get(key) ?? -1) >= (ingress.metadata.generation ?? 0) && this.#table.isInForce(key);
  }

  /** Resolves once no thread sends or runs requests on the pod. */
  async drained(pod: { readonly uid: string }, signal: AbortSignal): Promise<void> {
    if (this.#table.isDrained(pod.uid)) return;
    await new Promise<void>((resolve) => {
      this.#drained.set(pod.uid, [...(this.#drained.get(pod.uid) ?? []), resolve]);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** What a gateway thread says about routes; other messages are ignored. */
  receive(message: GatewayToControl): void {
    if (message.type === "ack") this.#settle(this.#table.acknowledged(message.thread, message.generation));
    else if (message.type === "podDrained") this.#settle(this.#table.drained(message.thread, message.pod, message.generation));
  }

  /** A thread is about to start: the table as its first batch. */
  started(thread: number): RouteDelta {
    this.#flush();
    return this.#table.threadStarted(thread);
  }

  stopped(thread: number): void {
    this.#settle(this.#table.threadStopped(thread));
  }

  #settle(settled: Settled): void {
    for (const uid of settled.pods) {
      for (const resolve of this.#drained.get(uid) ?? []) resolve();
      this.#drained.delete(uid);
    }
    if (settled.ingresses.length > 0) this.#options.onInForce(settled.ingresses);
    // Room may have become free for pods that wait for a slot.
    this.#schedule();
  }

  #follow<O extends KubeObject>(kind: Kind<O>, apply: (key: string, object: O | undefined) => void): { readonly synced: Promise<void> } {
    return this.#options.informers.follow(kind, "routes", (key, object) => {
      apply(key, object);
      this.#schedule();
    });
  }

  /** Changes of one turn of the loop go out as one batch. */
  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (!this.#listed) return;
    const delta = this.#table.flush();
    if (delta !== undefined) this.#options.broadcast(delta);
  }
}
