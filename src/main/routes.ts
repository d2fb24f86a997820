// From watched objects to the gateway threads: informers feed the routing table, its deltas go out, acknowledgements come back.
import type { InformerSet } from "#client";
import type { Clock } from "#core";
import { CoreService, EndpointSlice, Ingress, Pod, Revision } from "#kinds";
import type { GatewayToControl, RouteDelta } from "#protocol";
import type { IngressState, RouteTable, Settled } from "#routing";
import type { Kind, KubeObject } from "#schema";
import { EndpointProver, type Endpoint } from "./endpoint-prover.ts";

export interface RoutesOptions {
  readonly informers: InformerSet;
  readonly table: RouteTable;
  readonly broadcast: (delta: RouteDelta) => void;
  /** Keys of Ingresses whose state is another one now. */
  readonly onNews: (keys: readonly string[]) => void;
  /** Whether somebody accepts connections there. */
  readonly connects: (endpoint: Endpoint) => Promise<boolean>;
  /** Resolves once the table knows what others put into it: names of channels would be gone for a moment after a crash. */
  readonly others: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export class Routes {
  readonly #table: RouteTable;
  readonly #options: RoutesOptions;
  /** Generation of each Ingress as the table knows it. */
  readonly #generations = new Map<string, number>();
  readonly #prover: EndpointProver;
  readonly #drained = new Map<string, (() => void)[]>();
  #flushScheduled = false;
  /** Nothing is sent before: threads that serve by a restored table would take what has not been listed yet for gone. */
  #listed = false;
  /** The first lists are in: what the table does not know does not exist. */
  readonly synced: Promise<unknown>;

  constructor(options: RoutesOptions) {
    this.#table = options.table;
    this.#options = options;
    const { connects, clock, signal } = options;
    this.#prover = new EndpointProver({
      endpointsOf: (backend) => this.#table.endpointsToProve(backend),
      connects,
      proved: (backend) => {
        this.#table.proved(backend);
        this.#schedule();
      },
      clock,
      signal,
    });
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
    const services = this.#follow(CoreService, (key, service) => (service === undefined ? this.#table.removeService(key) : this.#table.upsertService(service)));
    const slices = this.#follow(EndpointSlice, (key, slice) =>
      slice === undefined ? this.#table.removeEndpointSlice(key) : this.#table.upsertEndpointSlice(slice),
    );
    const pods = this.#follow(Pod, (key, pod) => (pod === undefined ? this.#table.removePod(key) : this.#table.upsertPod(pod)));
    this.synced = Promise.all([ingresses, revisions, services, slices, pods].map(({ synced }) => synced))
      .then(() => options.others())
      .then(() => {
        this.#listed = true;
        this.#flush();
      });
  }

  /** How this generation of the Ingress stands. */
  state(ingress: Ingress): IngressState {
    const key = `${ingress.metadata.namespace ?? ""}/${ingress.metadata.name}`;
    const isKnown = (this.#generations.get(key) ?? -1) >= (ingress.metadata.generation ?? 0);
    return isKnown ? this.#table.state(key) : { isInForce: false };
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

  /** The table was changed by somebody else than the informers. */
  changed(): void {
    this.#schedule();
  }

  stopped(thread: number): void {
    this.#settle(this.#table.threadStopped(thread));
  }

  #settle(settled: Settled): void {
    for (const uid of settled.pods) {
      for (const resolve of this.#drained.get(uid) ?? []) resolve();
      this.#drained.delete(uid);
    }
    if (settled.ingresses.length > 0) this.#options.onNews(settled.ingresses);
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
    for (const backend of this.#table.unproven) this.#prover.prove(backend);
    const news = this.#table.takeNews();
    if (news.length > 0) this.#options.onNews(news);
  }
}
