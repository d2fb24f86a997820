// A revision on the data path: its pods, the requests that wait for one, and whose turn it is when a place becomes free.
//
// A request that comes takes a place at once when there is one, and waits in this thread's queue otherwise. What this thread
// frees goes to the oldest that waits here, unless one waits in another thread that came more than PATIENCE_MS earlier: then the
// place is left to it for a moment and its thread, and no other, is called.
import type { Rng } from "#core";
import type { Backend as BackendEntry, BackendPod } from "#protocol";
import { Choice } from "./choice.ts";
import { stampOf, type Doorbell } from "../shared/doorbell.ts";
import type { InFlightTable } from "../shared/in-flight.ts";
import { LoadMeter, type Loaded } from "../load.ts";
import type { RequestMeter } from "../observe/request-meter.ts";
import { Pod } from "./pod.ts";
import { WaitQueue, type Waiter } from "./wait-queue.ts";

/** Requests that may wait for one revision in one thread: the depth of Knative's revision breaker in one activator. */
export const QUEUE_DEPTH = 10_000;

/** A request is overtaken by those only that came to another thread at most so long after it. */
export const PATIENCE_MS = 20;

/** Waiters of one revision that are served (or refused) in one go: others have their turn before the next. */
export const GRANTS_A_TURN = 32;

/** How often a place may be lost to a faster thread before it is tried again in a later turn. */
const ROUNDS_MAX = 64;

export interface BackendOptions {
  readonly inFlight: InFlightTable;
  readonly doorbell: Doorbell;
  readonly rng: Rng;
  readonly queueDepth: number;
  /** Begin to try connections to a starting pod. */
  readonly prove: (backend: Backend, pod: Pod) => void;
  readonly podDrained: (pod: Pod) => void;
  readonly nowMs: () => number;
  /** Calls `serve` in a later turn of the loop. */
  readonly later: (backend: Backend) => void;
  /** Calls `momentOver` after the moment that another thread needs to hear its bell. */
  readonly moment: (backend: Backend) => void;
}

export class Backend implements Loaded {
  readonly key: string;
  readonly load = new LoadMeter();
  readonly #options: BackendOptions;
  readonly #choice: Choice;
  #entry: BackendEntry;
  readonly #pods = new Map<string, Pod>();
  /** Those that may get requests, in order of their addresses. */
  #ready: Pod[] = [];
  readonly #queue = new WaitQueue();
  /** Row in the table of waiters; -1: nobody else frees places here. */
  #row = -1;
  /** When control was last told to wake it; monotonic milliseconds. */
  wokenMs = -Infinity;
  /** What is measured of its requests; made with the first one. */
  meter: RequestMeter | undefined = undefined;
  #removed = false;
  /** Thread that a free place is left to just now; -1 is none. */
  #called = -1;
  #inMoment = false;

  constructor(entry: BackendEntry, options: BackendOptions) {
    this.key = entry.key;
    this.#entry = entry;
    this.#options = options;
    this.#choice = new Choice(options.inFlight, options.rng);
  }

  get entry(): BackendEntry {
    return this.#entry;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Its row in the table of waiters; -1 when it needs none. */
  get row(): number {
    return this.#row;
  }

  /** No pod can take a request. */
  get isAtZero(): boolean {
    return this.#ready.length === 0;
  }

  get asleep(): boolean {
    return this.#queue.size > 0 && this.isAtZero;
  }

  /** Brings the pods in line with `entry`; those missing get no request from now on. */
  update(entry: BackendEntry, generation: number): void {
    this.#entry = entry;
    const wanted = new Set(entry.pods.map((pod) => pod.id));
    for (const pod of this.#pods.values()) if (!wanted.has(pod.id)) this.#takeOut(pod, generation);
    for (const pod of entry.pods) this.#putIn(pod, generation);
    this.#ready = inOrder([...this.#pods.values()].filter((pod) => pod.ready && pod.removedIn === 0));
    this.#moveTo(entry.queue ?? -1);
    this.#called = -1;
    this.serve();
  }

  /** Takes all pods out and refuses who waits. */
  remove(generation: number): void {
    this.#ready = [];
    this.#removed = true;
    for (const pod of this.#pods.values()) this.#takeOut(pod, generation);
    this.#moveTo(-1);
    this.serve();
  }

  /** A place on the pod that comes first; undefined when there is none, or others have waited longer: see `join`. */
  take(): Pod | undefined {
    if (this.#queue.size > 0) return undefined;
    if (this.#row >= 0 && this.#options.doorbell.othersWait(this.#row) && this.#elder(stampOf(this.#options.nowMs())) >= 0) return undefined;
    return this.#choose();
  }

  /** A place on another pod than `but`, for a request that could not be sent to it. */
  takeOther(but: Pod): Pod | undefined {
    return this.#choose(but);
  }

  /** A connection to the pod was refused: it gets no request until one succeeds, or control takes it out and in again. */
  suspect(pod: Pod): void {
    if (!pod.ready || pod.removedIn > 0) return;
    pod.ready = false;
    pod.suspect = true;
    this.#ready = this.#ready.filter((other) => other !== pod);
    if (!pod.proving) this.#options.prove(this, pod);
  }

  /** Queues up; false when the queue is full. The place may be granted before this returns. */
  join(waiter: Waiter, since = stampOf(this.#options.nowMs())): boolean {
    if (this.#queue.size >= this.#options.queueDepth) return false;
    this.#queue.push(waiter, since);
    if (this.#row >= 0 && this.#queue.size === 1) this.#publish();
    if (this.#row >= 0 || this.#removed) this.serve();
    else this.#proveStarting();
    return true;
  }

  leave(waiter: Waiter): void {
    const since = this.#queue.since;
    if (this.#queue.drop(waiter) && this.#row >= 0 && this.#queue.since !== since) this.#publish();
  }

  /** Gives a place back: to the oldest that waits here, or to all, and then one thread is told. */
  release(pod: Pod): void {
    pod.inUse--;
    if (pod.removedIn > 0 || pod.suspect) return this.#releaseUnused(pod);
    if (pod.limit === 0) {
      if (this.#queue.size > 0) this.serve();
      return;
    }
    const waits = this.#queue.size > 0;
    const called = this.#row < 0 ? -1 : waits ? this.#elder(this.#queue.since) : -1;
    if (waits && called < 0) {
      pod.inUse++;
      this.#grantFirst(pod);
      return;
    }
    this.#options.inFlight.release(pod.slot);
    if (called >= 0) this.#call(called);
    else if (this.#row >= 0) this.#callEldest();
  }

  /** Of a pod that gets no other request of this thread for it. Others may not suspect it. */
  #releaseUnused(pod: Pod): void {
    if (pod.limit > 0) this.#options.inFlight.release(pod.slot);
    if (pod.removedIn === 0 && pod.limit > 0 && this.#row >= 0) this.#callEldest();
    if (pod.removedIn > 0 && pod.inUse === 0) this.#drained(pod);
  }

  /** A connection to a starting pod succeeded. */
  proved(pod: Pod): void {
    if (pod.ready || pod.removedIn > 0) return;
    pod.ready = true;
    pod.suspect = false;
    this.#ready = inOrder([...this.#ready, pod]);
    this.serve();
  }

  /** A place that somebody has already, whatever the limit; undefined when there is no such pod. */
  adopt(id: string): Pod | undefined {
    const pod = this.#pods.get(id);
    if (pod === undefined || pod.limit === 0) return undefined;
    this.#options.inFlight.hold(pod.slot, 1);
    pod.inUse++;
    return pod;
  }

  /** Gives such a place back: it goes to nobody who waits here. */
  disown(pod: Pod): void {
    pod.inUse--;
    this.#releaseUnused(pod);
  }

  /** Another thread has proved the pod by a connection. */
  provedElsewhere(id: string): void {
    const pod = this.#pods.get(id);
    if (pod !== undefined) this.proved(pod);
  }

  closeIdle(): void {
    for (const pod of this.#pods.values()) pod.closeIdle();
  }

  /** This thread was called: a place may be free that others leave to it. */
  heard(): number {
    this.#called = -1;
    return this.serve();
  }

  /** The moment that a place was left to another thread is over. */
  momentOver(): void {
    const called = this.#called;
    this.#inMoment = false;
    this.#called = -1;
    if (called < 0 || this.#row < 0) return;
    if (!this.#options.doorbell.hasHeard(this.#row, called)) this.#options.doorbell.passOver(called);
    this.serve();
  }

  /** Grants places to waiters, oldest first, as long as there are any and the turn lasts; how many it granted. */
  serve(): number {
    if (this.#removed) return this.#refuse();
    let granted = 0;
    while (this.#queue.size > 0) {
      if (granted === GRANTS_A_TURN) {
        this.#options.later(this);
        return granted;
      }
      if (this.#row >= 0 && this.#leavesPlaces()) break;
      const pod = this.#choose();
      if (pod === undefined) break;
      this.#grantFirst(pod);
      granted++;
    }
    if (this.#queue.size > 0) this.#left();
    else if (this.#row >= 0 && this.#options.doorbell.othersWait(this.#row) && this.#choice.hasRoom(this.#ready)) this.#callEldest();
    return granted;
  }

  /** Waiters have found no place. */
  #left(): void {
    this.#proveStarting();
    if (this.#row >= 0) this.#options.doorbell.tell(this.#row, this.#queue.size);
  }

  #grantFirst(pod: Pod): void {
    const waiter = this.#queue.shift();
    if (this.#row >= 0) this.#publish();
    waiter?.granted(pod);
  }

  #refuse(): number {
    for (let refused = 0; refused < GRANTS_A_TURN; refused++) {
      const waiter = this.#queue.shift();
      if (waiter === undefined) return refused;
      waiter.refused();
    }
    if (this.#queue.size > 0) this.#options.later(this);
    return GRANTS_A_TURN;
  }

  // Other threads.

  #publish(): void {
    this.#options.doorbell.publish(this.#row, this.#queue.since);
  }

  #moveTo(row: number): void {
    const next = this.#options.doorbell.serves(row) ? row : -1;
    if (next === this.#row) return;
    if (this.#row >= 0) this.#options.doorbell.publish(this.#row, 0);
    this.#row = next;
    this.#called = -1;
    if (next >= 0) this.#publish();
  }

  /** The thread with a request that has waited so much longer than one that came at `since` that it goes first; -1: none. */
  #elder(since: number): number {
    return this.#options.doorbell.eldest(this.#row, (since - PATIENCE_MS) | 0);
  }

  /** Whether free places are left to a request of another thread. Who frees one just now looks for itself who waits. */
  #leavesPlaces(): boolean {
    const elder = this.#elder(this.#queue.since);
    if (elder < 0) return false;
    if (this.#called !== elder && this.#choice.hasRoom(this.#ready)) this.#call(elder);
    return true;
  }

  #callEldest(): void {
    const { doorbell } = this.#options;
    const eldest = doorbell.eldest(this.#row);
    if (eldest >= 0) return this.#call(eldest);
    // Only threads wait that did not come when they were called: they will hear it once they can.
    const deaf = doorbell.eldestOfAll(this.#row);
    if (deaf >= 0) doorbell.ring(this.#row, deaf);
  }

  #call(thread: number): void {
    const { doorbell, moment } = this.#options;
    this.#called = thread;
    doorbell.ring(this.#row, thread);
    if (this.#inMoment) return;
    this.#inMoment = true;
    moment(this);
  }

  // Pods.

  #choose(but?: Pod): Pod | undefined {
    const { inFlight, later } = this.#options;
    // Between look and take another thread may be faster; every failed round means that somebody else got a place.
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const pod = this.#choice.pick(this.#entry.loadBalancing ?? "least-requests", this.#ready, but);
      if (pod === undefined) return undefined;
      if (pod.limit > 0 && !inFlight.tryAcquire(pod.slot, pod.limit)) continue;
      pod.inUse++;
      return pod;
    }
    later(this);
    return undefined;
  }

  #proveStarting(): void {
    if (this.#pods.size === this.#ready.length) return;
    for (const pod of this.#pods.values()) if (!pod.ready && !pod.proving && pod.removedIn === 0) this.#options.prove(this, pod);
  }

  #putIn(entry: BackendPod, generation: number): void {
    const known = this.#pods.get(entry.id);
    const moved = known !== undefined && (known.slot !== entry.slot || known.address.host !== entry.address || known.address.port !== entry.port);
    if (known !== undefined && !moved) {
      const returns = known.removedIn > 0;
      known.removedIn = 0;
      if (returns) known.suspect = false;
      if (entry.state === "ready" && !known.suspect) known.ready = true;
      return;
    }
    if (known !== undefined) this.#takeOut(known, generation);
    const limit = this.#entry.containerConcurrency;
    this.#pods.set(
      entry.id,
      new Pod({ id: entry.id, name: entry.name ?? "", slot: entry.slot, host: entry.address, port: entry.port, limit, ready: entry.state === "ready" }),
    );
  }

  #takeOut(pod: Pod, generation: number): void {
    if (pod.removedIn > 0) return;
    pod.removedIn = generation;
    pod.closeIdle();
    for (const tunnel of pod.tunnels ?? []) tunnel.podLeaves();
    if (pod.inUse === 0) this.#drained(pod);
  }

  #drained(pod: Pod): void {
    if (this.#pods.get(pod.id) === pod) this.#pods.delete(pod.id);
    this.#options.podDrained(pod);
  }
}

function inOrder(pods: Pod[]): Pod[] {
  return pods.sort((a, b) => (a.authority < b.authority ? -1 : a.authority > b.authority ? 1 : 0));
}
