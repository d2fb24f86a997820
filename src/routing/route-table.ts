// The routing state of the control thread: takes objects as they change, gives deltas, follows acknowledgements.
import { annotationOf, networking, type CoreService, type EndpointSlice, type Ingress, type Pod, type Revision } from "#kinds";
import { QUEUE_ROWS_PER_SLOT, RESTORED_GENERATION, type Backend, type BackendPod, type RouteDelta, type RouteHost, type SavedRoutes } from "#protocol";
import { Acknowledgements } from "./acknowledgements.ts";
import { HostClaims } from "./host-claims.ts";
import { ingressRoutes, resolvedHosts, type IngressRoutes } from "./ingress-routes.ts";
import { podFacts, reachableAt, type PodFacts } from "./pod-facts.ts";
import { References } from "./references.ts";
import { revisionSettings, type RevisionSettings } from "./revision-settings.ts";
import { RoutedPods } from "./routed-pods.ts";
import { endpointId, serviceBackend } from "./service-backend.ts";
import { isOfRevision, serviceFacts, sliceFacts } from "./service-facts.ts";
import { Services } from "./services.ts";
import { SharedRows } from "./shared-rows.ts";
import { splitOwners, withTurns } from "./split-turns.ts";

export interface RouteTableOptions {
  /** Ingresses of other classes are not ours. */
  readonly ingressClass: string;
  /** Rows of the shared in-flight table: the number of pods that can be routed to at once. */
  readonly slots: number;
  /** Names of our own gateway's Services: a Service that stands for one of them leads back here. */
  readonly gatewayNames: readonly string[];
  readonly clusterDomain: string;
  /**
   * Revisions are run by us: their Services need no look, since their requests go to the pods directly. False: another control plane
   * runs them, and its Services are Services like all others.
   */
  readonly runsRevisions: boolean;
  /** What threads serve by already: the state that the last platform left. Brought in line with the objects by the first flush. */
  readonly restored?: SavedRoutes | undefined;
}

/** Where an Ingress stands; texts are for its status. */
export interface IngressState {
  /** In force in every live thread (and one lives). */
  readonly isInForce: boolean;
  /** A backend that it waits for. */
  readonly waitsFor?: string;
  /** A host that an older Ingress has. */
  readonly conflict?: { readonly host: string; readonly owner: string };
}

/** What an acknowledgement settled. Call `flush` after it: room may have become free for pods that wait for a slot. */
export interface Settled {
  /** Keys of Ingresses that are now in force in every thread. */
  readonly ingresses: readonly string[];
  /** Uids of pods that nobody uses any more, in no backend. */
  readonly pods: readonly string[];
}

interface IngressRecord {
  readonly created: string;
  /** uid and generation of the spec that was read last. */
  version: string;
  /** Read and not routed yet. */
  wanted: IngressRoutes | undefined;
  /** What is routed: as it was asked for, and as it was sent. */
  routed: IngressRoutes;
  hosts: readonly RouteHost[];
  waitsFor: string | undefined;
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
  readonly #services: Services;
  readonly #references: References;
  /** Pods (keys) that were ready once: connecting proves nothing any more. */
  readonly #wereReady = new Set<string>();
  readonly #routed: RoutedPods;
  readonly #dirtyIngresses = new Set<string>();
  readonly #dirtyHosts = new Set<string>();
  readonly #dirtyBackends = new Set<string>();
  /** What the threads were told. */
  readonly #hosts = new Map<string, RouteHost>();
  readonly #backends = new Map<string, Backend>();
  readonly #acknowledgements = new Acknowledgements();
  /** Pods with a limit that are out of the table and may have requests still. */
  readonly #leaving = new Map<string, { readonly slot: number; readonly limit: number }>();
  /** Services of which an endpoint has answered, and those (with what waits for them) of which none has yet. */
  readonly #proven = new Set<string>();
  readonly #unproven = new Set<string>();
  /** Ingresses whose status has something new to tell. */
  readonly #news = new Set<string>();
  /** Rows of the table of turns, by host and path. */
  readonly #turns: SharedRows;
  /** Rows of the table of waiters, by revision. */
  readonly #queues: SharedRows;
  #generation = 0;

  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#routed = new RoutedPods(options.slots);
    const isRevision = (key: string): boolean => this.#revisions.has(key);
    this.#services = new Services({ ...options, isRevision });
    this.#references = new References((reference, seen) => this.#services.resolve(reference, seen));
    this.#turns = new SharedRows(options.slots);
    this.#queues = new SharedRows(QUEUE_ROWS_PER_SLOT * options.slots);
    if (options.restored !== undefined) this.#generation = RESTORED_GENERATION;
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
    const record = known ?? newRecord(ingress.metadata.creationTimestamp);
    record.version = version;
    record.wanted = ingressRoutes(ingress, this.#options.clusterDomain);
    this.#ingresses.set(key, record);
    this.#use(key, [...record.routed.references, ...record.wanted.references]);
    this.#dirtyIngresses.add(key);
  }

  removeIngress(key: string): void {
    for (const { host } of this.#ingresses.get(key)?.hosts ?? []) {
      this.#claims.remove(key, host);
      this.#dirtyHosts.add(host);
    }
    this.#ingresses.delete(key);
    this.#dirtyIngresses.delete(key);
    this.#use(key, []);
  }

  upsertService(service: CoreService): void {
    if (this.#options.runsRevisions && isOfRevision(service)) return;
    const key = keyOf(service);
    if (this.#services.setService(key, serviceFacts(service))) this.#references.touch(key);
  }

  removeService(key: string): void {
    if (this.#services.setService(key, undefined)) this.#references.touch(key);
  }

  upsertEndpointSlice(slice: EndpointSlice): void {
    if (this.#options.runsRevisions && isOfRevision(slice)) return;
    for (const service of this.#services.setSlice(keyOf(slice), sliceFacts(slice))) this.#references.touch(service);
  }

  removeEndpointSlice(key: string): void {
    for (const service of this.#services.setSlice(key, undefined)) this.#references.touch(service);
  }

  upsertRevision(revision: Revision): void {
    const settings = revisionSettings(revision);
    const known = this.#revisions.get(settings.key);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(settings)) return;
    this.#revisions.set(settings.key, settings);
    this.#dirtyBackends.add(settings.key);
    if (known === undefined) this.#references.touch(settings.key);
  }

  removeRevision(key: string): void {
    if (!this.#revisions.delete(key)) return;
    this.#dirtyBackends.add(key);
    this.#references.touch(key);
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
    this.#wereReady.delete(key);
    const siblings = this.#podsOf.get(known.backend);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#podsOf.delete(known.backend);
    this.#dirtyBackends.add(known.backend);
  }

  /** The next generation with all changes since the last flush; undefined when nothing changed. Send it to every live thread. */
  flush(): RouteDelta | undefined {
    const generation = this.#generation + 1;
    for (const { key, users } of this.#references.settle()) {
      this.#dirtyBackends.add(key);
      for (const user of users) this.#dirtyIngresses.add(user);
    }
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
      // Who had it, and who has it now, learns of it.
      for (const claimant of this.#claims.claimants(host)) this.#news.add(claimant);
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

  /** Pods with a limit that have been taken out, and that threads may still have requests on. */
  get leaving(): readonly { readonly pod: string; readonly slot: number; readonly limit: number }[] {
    return [...this.#leaving].map(([pod, place]) => ({ pod, ...place }));
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

  /** Backends that Ingresses wait for until somebody answers there: call `proved` then. */
  get unproven(): Iterable<string> {
    return this.#unproven;
  }

  /** Where an unproven backend is reached just now; undefined when nothing waits for it. */
  endpointsToProve(key: string): readonly { readonly address: string; readonly port: number }[] | undefined {
    const resolution = this.#unproven.has(key) ? this.#references.resolution(key) : undefined;
    return resolution?.is === "service" ? resolution.endpoints : undefined;
  }

  /** An endpoint of the backend accepts connections. */
  proved(key: string): void {
    if (!this.#unproven.delete(key)) return;
    this.#proven.add(key);
    for (const user of this.#references.usersOf(key)) this.#dirtyIngresses.add(user);
  }

  /** How the Ingress, as last upserted, stands. */
  state(ingressKey: string): IngressState {
    const record = this.#ingresses.get(ingressKey);
    if (record === undefined) return { isInForce: false };
    const conflict = this.#conflict(record, ingressKey);
    const waitsFor = record.wanted === undefined ? undefined : record.waitsFor;
    return {
      isInForce: record.wanted === undefined && conflict === undefined && this.#acknowledgements.everywhere >= record.generation,
      ...(waitsFor === undefined ? {} : { waitsFor }),
      ...(conflict === undefined ? {} : { conflict }),
    };
  }

  /** Keys of the Ingresses that wait for something else than before, or for nothing, or that got or lost a host; told once. */
  takeNews(): string[] {
    const news = [...this.#news];
    this.#news.clear();
    return news;
  }

  #conflict({ hosts }: IngressRecord, key: string): IngressState["conflict"] {
    for (const { host } of hosts) {
      const owner = this.#claims.owner(host)?.ingress;
      if (owner !== undefined && owner !== key) return { host, owner };
    }
    return undefined;
  }

  /** Whether no live thread sends or runs requests on this pod (uid); true for pods never routed to. */
  isDrained(podUid: string): boolean {
    return !this.#routed.isRouted(podUid);
  }

  /** Whether the revision (`namespace/name`) exists. */
  hasRevision(key: string): boolean {
    return this.#revisions.has(key);
  }

  /** The Service and the Configuration of the revision; "" where there is none. */
  namesOf(key: string): { readonly service: string; readonly configuration: string } {
    const { service = "", configuration = "" } = this.#revisions.get(key) ?? {};
    return { service, configuration };
  }

  /** Pods that are not routed to because all slots are taken. */
  get podsWithoutSlot(): number {
    return this.#routed.waiting;
  }

  /** Pods keep their slots: requests in flight on them are counted there. */
  #restore(backend: Backend): void {
    const pods = backend.pods.filter(({ id, slot }) => this.#routed.restore(id, slot));
    this.#backends.set(backend.key, this.#withQueue({ ...backend, pods }, 0));
    this.#dirtyBackends.add(backend.key);
    if (backend.kind === "service") this.#proven.add(backend.key);
  }

  #use(ingress: string, references: IngressRoutes["references"]): void {
    for (const key of this.#references.use(ingress, references)) {
      this.#dirtyBackends.add(key);
      this.#proven.delete(key);
      this.#unproven.delete(key);
    }
  }

  /** An Ingress comes into force when something stands behind all that it names; until then its former routes stay. */
  #planIngress(key: string, generation: number): void {
    const record = this.#ingresses.get(key);
    if (record === undefined) return;
    const asked = record.wanted ?? record.routed;
    const waitsFor = this.#missingOf(asked);
    if (waitsFor !== record.waitsFor) this.#news.add(key);
    record.waitsFor = waitsFor;
    if (waitsFor !== undefined) return;
    const hosts = resolvedHosts(asked.hosts, (reference) => this.#references.resolution(reference));
    // Only endpoints are others, which is told with the backend.
    if (record.wanted === undefined && JSON.stringify(hosts) === JSON.stringify(record.hosts)) return;
    for (const { host } of record.hosts) {
      this.#claims.remove(key, host);
      this.#dirtyHosts.add(host);
    }
    for (const route of hosts) {
      this.#claims.set(key, record.created, route);
      this.#dirtyHosts.add(route.host);
    }
    for (const { key: reference } of asked.references) this.#dirtyBackends.add(reference);
    record.hosts = hosts;
    record.routed = asked;
    record.wanted = undefined;
    this.#use(key, asked.references);
    // Without hosts there is nothing to wait for.
    if (hosts.length === 0) record.generation = this.#generation;
    else this.#carry(key, generation);
  }

  /** What an Ingress has to wait for; undefined when nothing. */
  #missingOf({ references }: IngressRoutes): string | undefined {
    let missing: string | undefined;
    for (const { key, service } of references) {
      const resolution = this.#references.resolution(key);
      if (resolution?.is === "missing") missing ??= resolution.why;
      if (resolution?.is !== "service" || this.#proven.has(key)) continue;
      this.#unproven.add(key);
      missing ??= `no endpoint of Service "${service}" answers`;
    }
    return missing;
  }

  /** The Ingress is in force once `generation` is. */
  #carry(ingress: string, generation: number): void {
    const record = this.#ingresses.get(ingress);
    if (record === undefined || record.generation === generation) return;
    record.generation = generation;
    this.#acknowledgements.expect(generation, ingress);
  }

  #planBackend(key: string, generation: number): Backend | "removed" | undefined {
    const before = this.#backends.get(key);
    this.#routed.beginPlan(key);
    const planned = this.#revisionBackend(key) ?? this.#endpointsBackend(key);
    const kept = new Set(planned?.pods.map((pod) => pod.id));
    for (const pod of before?.pods ?? []) {
      if (kept.has(pod.id)) continue;
      if (before !== undefined && before.containerConcurrency > 0) this.#leaving.set(pod.id, { slot: pod.slot, limit: before.containerConcurrency });
      this.#takeOut(pod.id, generation);
    }
    for (const pod of planned?.pods ?? []) {
      this.#leaving.delete(pod.id);
      this.#acknowledgements.stay(pod.id);
    }
    if (planned === undefined) {
      this.#queues.giveBack(key, generation);
      return this.#backends.delete(key) ? "removed" : undefined;
    }
    const backend = this.#withQueue(planned, generation);
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

  #revisionBackend(key: string): Backend | undefined {
    const settings = this.#revisions.get(key);
    if (settings === undefined) return undefined;
    const { containerPort: _port, provenByConnecting: _proven, ...entry } = settings;
    return { ...entry, pods: this.#podsInPlay(key, settings) };
  }

  /** Of a Service that Ingresses name; without endpoints it stays as long as they do. */
  #endpointsBackend(key: string): Backend | undefined {
    const resolution = this.#references.resolution(key);
    if (resolution?.is !== "service" && (resolution?.is !== "missing" || !this.#backends.has(key))) return undefined;
    const pods = new Map<string, BackendPod>();
    for (const endpoint of resolution.is === "service" ? resolution.endpoints : []) {
      const id = endpointId(key, endpoint);
      const slot = this.#routed.slotOf(id, key);
      if (slot !== undefined) pods.set(id, { id, slot, address: endpoint.address, port: endpoint.port, state: "ready" });
    }
    return { ...serviceBackend(key, resolution), pods: [...pods.values()] };
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
      const slot = this.#routed.slotOf(facts.uid, key);
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

  #takeOut(id: string, generation: number): void {
    if (this.#acknowledgements.leave(id, generation)) this.#forget(id);
  }

  /** The pod's uid when no backend uses it any more. */
  #forget(id: string): string | undefined {
    this.#leaving.delete(id);
    const uid = this.#routed.forget(id);
    for (const backend of this.#routed.waitingBackends) this.#dirtyBackends.add(backend);
    return uid;
  }

  #settled(keys: readonly string[], pods: readonly string[]): Settled {
    const gone = pods.map((pod) => this.#forget(pod)).filter((uid) => uid !== undefined);
    for (const rows of [this.#turns, this.#queues]) rows.settled(this.#acknowledgements.everywhere);
    return { ingresses: keys.filter((key) => this.state(key).isInForce), pods: gone };
  }
}

function newRecord(created: string): IngressRecord {
  const nothing: IngressRoutes = { hosts: [], references: [] };
  return { created, version: "", wanted: undefined, routed: nothing, hosts: [], waitsFor: undefined, generation: 0 };
}

function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function sameFacts(a: PodFacts, b: PodFacts): boolean {
  return a.uid === b.uid && a.backend === b.backend && a.state === b.state && a.addresses === b.addresses && a.podIP === b.podIP;
}
