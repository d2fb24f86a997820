// The routing state of the control thread: takes objects as they change, gives deltas, follows acknowledgements.
import { annotationOf, networking, type Ingress, type Pod, type Revision } from "#kinds";
import { QUEUE_ROWS_PER_SLOT, type Backend, type BackendPod, type RouteDelta, type RouteHost, type SavedRoutes } from "#protocol";
import { Acknowledgements } from "./acknowledgements.ts";
import { HostClaims } from "./host-claims.ts";
import { ingressRoutes, type IngressRoutes } from "./ingress-routes.ts";
import { podFacts, reachableAt, type PodFacts } from "./pod-facts.ts";
import { revisionSettings, type RevisionSettings } from "./revision-settings.ts";
import { SharedRows } from "./shared-rows.ts";
import { Slots } from "./slots.ts";
import { splitOwners, withTurns } from "./split-turns.ts";

export interface RouteTableOptions {
  /** Ingresses of other classes are not ours. */
  readonly ingressClass: string;
  /** Rows of the shared in-flight table: the number of pods that can be routed to at once. */
  readonly slots: number;
  /** What threads serve by already: the state that the last platform left. Brought in line with the objects by the first flush. */
  readonly restored?: SavedRoutes | undefined;
}

/** What an acknowledgement settled. Call `flush` after it: room may have become free for pods that wait for a slot. */
export interface Settled {
  /** Keys of Ingresses that are now in force in every thread. */
  readonly ingresses: readonly string[];
  /** Uids of pods that nobody uses any more. */
  readonly pods: readonly string[];
}

interface IngressRecord {
  readonly created: string;
  /** uid and generation of the spec that was read last. */
  version: string;
  /** Read and not routed yet. */
  wanted: IngressRoutes | undefined;
  hosts: readonly RouteHost[];
  /** Generation that carries `hosts`. */
  generation: number;
}

/** Cost goes by the change: upserts mark keys dirty, `flush` plans the dirty ones only. Keys are `namespace/name`. */
export class RouteTable {
  readonly #options: RouteTableOptions;
  readonly #ingresses = new Map<string, IngressRecord>();
  readonly #revisions = new Map<string, RevisionSettings>();
  /** By the pod's key, and per revision the keys. */
  readonly #pods = new Map<string, PodFacts>();
  readonly #podsOf = new Map<string, Set<string>>();
  readonly #claims = new HostClaims();
  readonly #slots: Slots;
  /** Pods (keys) that were ready once: connecting proves nothing any more. */
  readonly #wereReady = new Set<string>();
  /** Slots by uid of the pods that the threads know, those on their way out included. */
  readonly #routed = new Map<string, number>();
  readonly #slotless = new Set<string>();
  /** Revisions that Ingresses wait for. */
  readonly #missing = new Map<string, Set<string>>();
  readonly #dirtyIngresses = new Set<string>();
  readonly #dirtyHosts = new Set<string>();
  readonly #dirtyBackends = new Set<string>();
  /** What the threads were told. */
  readonly #hosts = new Map<string, RouteHost>();
  readonly #backends = new Map<string, Backend>();
  readonly #acknowledgements = new Acknowledgements();
  /** Rows of the table of turns, by host and path. */
  readonly #turns: SharedRows;
  /** Rows of the table of waiters, by revision. */
  readonly #queues: SharedRows;
  #generation = 0;

  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#slots = new Slots(options.slots);
    this.#turns = new SharedRows(options.slots);
    this.#queues = new SharedRows(QUEUE_ROWS_PER_SLOT * options.slots);
    for (const host of options.restored?.hosts ?? []) {
      this.#hosts.set(host.host, withTurns(host, this.#turns));
      this.#dirtyHosts.add(host.host);
    }
    for (const backend of options.restored?.backends ?? []) this.#restore(backend);
  }

  upsertIngress(ingress: Ingress): void {
    const key = keyOf(ingress);
    if (annotationOf(ingress.metadata.annotations, networking.ingressClass) !== this.#options.ingressClass) return this.removeIngress(key);
    const known = this.#ingresses.get(key);
    const version = `${ingress.metadata.uid} ${ingress.metadata.generation ?? 0}`;
    if (known?.version === version) return;
    const record = known ?? { created: ingress.metadata.creationTimestamp, version, wanted: undefined, hosts: [], generation: 0 };
    record.version = version;
    record.wanted = ingressRoutes(ingress);
    this.#ingresses.set(key, record);
    this.#dirtyIngresses.add(key);
  }

  removeIngress(key: string): void {
    for (const { host } of this.#ingresses.get(key)?.hosts ?? []) {
      this.#claims.remove(key, host);
      this.#dirtyHosts.add(host);
    }
    this.#ingresses.delete(key);
    this.#dirtyIngresses.delete(key);
  }

  upsertRevision(revision: Revision): void {
    const settings = revisionSettings(revision);
    const known = this.#revisions.get(settings.key);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(settings)) return;
    this.#revisions.set(settings.key, settings);
    this.#dirtyBackends.add(settings.key);
    for (const ingress of this.#missing.get(settings.key) ?? []) this.#dirtyIngresses.add(ingress);
    this.#missing.delete(settings.key);
  }

  removeRevision(key: string): void {
    if (this.#revisions.delete(key)) this.#dirtyBackends.add(key);
  }

  upsertPod(pod: Pod): void {
    const key = keyOf(pod);
    const facts = podFacts(pod);
    const known = this.#pods.get(key);
    if (facts === undefined || (known !== undefined && known.uid !== facts.uid)) this.removePod(key);
    if (facts === undefined || (known !== undefined && sameFacts(known, facts))) return;
    this.#pods.set(key, facts);
    const siblings = this.#podsOf.get(facts.backend);
    if (siblings === undefined) this.#podsOf.set(facts.backend, new Set([key]));
    else siblings.add(key);
    this.#dirtyBackends.add(facts.backend);
  }

  removePod(key: string): void {
    const known = this.#pods.get(key);
    if (known === undefined) return;
    this.#pods.delete(key);
    this.#slotless.delete(key);
    this.#wereReady.delete(key);
    const siblings = this.#podsOf.get(known.backend);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#podsOf.delete(known.backend);
    this.#dirtyBackends.add(known.backend);
  }

  /** The next generation with all changes since the last flush; undefined when nothing changed. Send it to every live thread. */
  flush(): RouteDelta | undefined {
    const generation = this.#generation + 1;
    for (const key of this.#dirtyIngresses) this.#planIngress(key, generation);
    this.#dirtyIngresses.clear();
    const backends: Backend[] = [];
    const backendsRemoved: string[] = [];
    for (const key of this.#dirtyBackends) {
      const change = this.#planBackend(key, generation);
      if (change === "removed") backendsRemoved.push(key);
      else if (change !== undefined) backends.push(change);
    }
    this.#dirtyBackends.clear();
    const hosts: RouteHost[] = [];
    const hostsRemoved: string[] = [];
    for (const host of this.#dirtyHosts) {
      const claim = this.#claims.owner(host);
      const before = splitOwners(this.#hosts.get(host));
      if (claim !== undefined) {
        const route = withTurns(claim.route, this.#turns);
        this.#hosts.set(host, route);
        hosts.push(route);
        this.#carry(claim.ingress, generation);
      } else if (this.#hosts.delete(host)) {
        hostsRemoved.push(host);
      }
      const owners = new Set(splitOwners(this.#hosts.get(host)));
      for (const owner of before) if (!owners.has(owner)) this.#turns.giveBack(owner, generation);
    }
    this.#dirtyHosts.clear();
    if (hosts.length + hostsRemoved.length + backends.length + backendsRemoved.length === 0) return undefined;
    this.#generation = generation;
    return { type: "routes", generation, reset: false, hosts, hostsRemoved, backends, backendsRemoved };
  }

  /** A thread (re)started: everything in force, as its first batch. Changes that were not flushed come with the next one. */
  threadStarted(thread: number): RouteDelta {
    this.#acknowledgements.start(thread);
    return this.everything();
  }

  /** Everything in force, as one batch. */
  everything(): RouteDelta {
    return {
      type: "routes",
      generation: this.#generation,
      reset: true,
      hosts: [...this.#hosts.values()],
      hostsRemoved: [],
      backends: [...this.#backends.values()],
      backendsRemoved: [],
    };
  }

  /** A thread died: it acknowledges and drains no more (call `bury` of the gateway's `Recovery` first). */
  threadStopped(thread: number): Settled {
    const { keys, pods } = this.#acknowledgements.stop(thread);
    return this.#settled(keys, pods);
  }

  acknowledged(thread: number, generation: number): Settled {
    return this.#settled(this.#acknowledgements.acknowledge(thread, generation), []);
  }

  /** A thread has no request left on a pod that was taken out with `generation`. */
  drained(thread: number, pod: string, generation: number): Settled {
    return this.#settled([], this.#acknowledgements.drained(thread, pod, generation) ? [pod] : []);
  }

  /** Whether the Ingress, as last upserted, is in force in every live thread (and one lives). */
  isInForce(ingressKey: string): boolean {
    const record = this.#ingresses.get(ingressKey);
    if (record === undefined || record.wanted !== undefined || this.conflict(ingressKey) !== undefined) return false;
    return this.#acknowledgements.everywhere >= record.generation;
  }

  /** A host of this Ingress that an older Ingress owns. */
  conflict(ingressKey: string): { readonly host: string; readonly owner: string } | undefined {
    for (const { host } of this.#ingresses.get(ingressKey)?.hosts ?? []) {
      const owner = this.#claims.owner(host)?.ingress;
      if (owner !== undefined && owner !== ingressKey) return { host, owner };
    }
    return undefined;
  }

  /** Whether no live thread sends or runs requests on this pod (uid); true for pods never routed to. */
  isDrained(podUid: string): boolean {
    return !this.#routed.has(podUid);
  }

  /** Whether the revision (`namespace/name`) exists. */
  hasRevision(key: string): boolean {
    return this.#revisions.has(key);
  }

  /** Pods that are not routed to because all slots are taken. */
  get podsWithoutSlot(): number {
    return this.#slotless.size;
  }

  /** Pods keep their slots: requests in flight on them are counted there. Of two pods with one slot, which no table ever had, the first has it. */
  #restore(backend: Backend): void {
    const pods = backend.pods.filter(({ id, slot }) => !this.#routed.has(id) && this.#slots.reserve(slot) && this.#routed.set(id, slot));
    this.#backends.set(backend.key, this.#withQueue({ ...backend, pods }, 0));
    this.#dirtyBackends.add(backend.key);
  }

  /** An Ingress comes into force when all its revisions are known; until then its former routes stay. */
  #planIngress(key: string, generation: number): void {
    const record = this.#ingresses.get(key);
    const wanted = record?.wanted;
    if (record === undefined || wanted === undefined) return;
    const missing = wanted.backends.filter((backend) => !this.#revisions.has(backend));
    for (const backend of missing) {
      const waiting = this.#missing.get(backend) ?? new Set();
      this.#missing.set(backend, waiting.add(key));
    }
    if (missing.length > 0) return;
    for (const { host } of record.hosts) {
      this.#claims.remove(key, host);
      this.#dirtyHosts.add(host);
    }
    for (const route of wanted.hosts) {
      this.#claims.set(key, record.created, route);
      this.#dirtyHosts.add(route.host);
    }
    record.hosts = wanted.hosts;
    record.wanted = undefined;
    // Without hosts there is nothing to wait for.
    if (wanted.hosts.length === 0) record.generation = this.#generation;
    else this.#carry(key, generation);
  }

  /** The Ingress is in force once `generation` is. */
  #carry(ingress: string, generation: number): void {
    const record = this.#ingresses.get(ingress);
    if (record === undefined || record.generation === generation) return;
    record.generation = generation;
    this.#acknowledgements.expect(generation, ingress);
  }

  #planBackend(key: string, generation: number): Backend | "removed" | undefined {
    const settings = this.#revisions.get(key);
    const before = this.#backends.get(key);
    const pods = settings === undefined ? [] : this.#podsInPlay(key, settings);
    const kept = new Set(pods.map((pod) => pod.id));
    for (const pod of before?.pods ?? []) if (!kept.has(pod.id)) this.#takeOut(pod.id, generation);
    for (const pod of pods) this.#acknowledgements.stay(pod.id);
    if (settings === undefined) {
      this.#queues.giveBack(key, generation);
      return this.#backends.delete(key) ? "removed" : undefined;
    }
    const { containerPort: _port, provenByConnecting: _proven, ...entry } = settings;
    const backend = this.#withQueue({ ...entry, pods }, generation);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(backend)) return undefined;
    this.#backends.set(key, backend);
    return backend;
  }

  /** Requests of several threads wait for the same places only where there are pods with a limit. */
  #withQueue({ queue: _former, ...backend }: Backend, generation: number): Backend {
    const shared = backend.containerConcurrency > 0 && backend.pods.length > 0;
    if (!shared) this.#queues.giveBack(backend.key, generation);
    const queue = shared ? this.#queues.of(backend.key) : undefined;
    return queue === undefined ? backend : { ...backend, queue };
  }

  #podsInPlay(key: string, settings: RevisionSettings): BackendPod[] {
    const pods: BackendPod[] = [];
    for (const podKey of this.#podsOf.get(key) ?? []) {
      const facts = this.#pods.get(podKey);
      const address = facts === undefined ? undefined : reachableAt(facts, settings.containerPort);
      if (facts === undefined || address === undefined || facts.state === "out") continue;
      const starting = facts.state === "running";
      if (starting && (!settings.provenByConnecting || this.#wereReady.has(podKey))) continue;
      if (!starting) this.#wereReady.add(podKey);
      const slot = this.#slotOf(podKey, facts.uid);
      if (slot === undefined) continue;
      pods.push({
        id: facts.uid,
        name: podKey.slice(podKey.indexOf("/") + 1),
        slot,
        address: address.host,
        port: address.port,
        state: starting ? "starting" : "ready",
      });
    }
    return pods;
  }

  #slotOf(podKey: string, uid: string): number | undefined {
    const known = this.#routed.get(uid);
    if (known !== undefined) return known;
    const slot = this.#slots.take();
    if (slot === undefined) {
      this.#slotless.add(podKey);
      return undefined;
    }
    this.#slotless.delete(podKey);
    this.#routed.set(uid, slot);
    return slot;
  }

  #takeOut(uid: string, generation: number): void {
    if (this.#acknowledgements.leave(uid, generation)) this.#forget(uid);
  }

  #forget(uid: string): void {
    const slot = this.#routed.get(uid);
    if (slot === undefined) return;
    this.#routed.delete(uid);
    this.#slots.giveBack(slot);
    for (const podKey of this.#slotless) {
      const backend = this.#pods.get(podKey)?.backend;
      if (backend !== undefined) this.#dirtyBackends.add(backend);
    }
  }

  #settled(keys: readonly string[], pods: readonly string[]): Settled {
    for (const pod of pods) this.#forget(pod);
    for (const rows of [this.#turns, this.#queues]) rows.settled(this.#acknowledgements.everywhere);
    return { ingresses: keys.filter((key) => this.isInForce(key)), pods };
  }
}

function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function sameFacts(a: PodFacts, b: PodFacts): boolean {
  return a.uid === b.uid && a.backend === b.backend && a.state === b.state && a.addresses === b.addresses && a.podIP === b.podIP;
}
