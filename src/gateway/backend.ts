// A revision on the data path: its pods, the requests that wait for one, and the choice among pods.
import { below, type Rng } from "#core";
import type { Backend as BackendEntry, BackendPod } from "#protocol";
import type { Doorbell, InFlightTable } from "./in-flight.ts";
import { LoadMeter, type Loaded } from "./load.ts";
import { Pod } from "./pod.ts";

/** Requests that may wait for one revision in one thread: the depth of Knative's revision breaker. */
export const QUEUE_DEPTH = 10_000;

/** A thread with waiters of its own lets others have a free place at most this often. */
const YIELD_EVERY_MS = 20;

/** A request that waits for a pod. */
export interface Waiter {
  /** A place on `pod` is taken for it; called once, after which it waits no more. */
  granted(pod: Pod): void;
  /** The revision is gone. */
  refused(): void;
}

export interface BackendOptions {
  readonly inFlight: InFlightTable;
  readonly doorbell: Doorbell;
  readonly rng: Rng;
  readonly queueDepth: number;
  /** Begin to try connections to a starting pod. */
  readonly prove: (backend: Backend, pod: Pod) => void;
  readonly podDrained: (pod: Pod) => void;
  readonly nowMs: () => number;
  /** Calls back after the moment that another thread needs to hear its bell. */
  readonly moment: (then: () => void) => void;
}

export class Backend implements Loaded {
  readonly key: string;
  readonly load = new LoadMeter();
  readonly #options: BackendOptions;
  #entry: BackendEntry;
  readonly #pods = new Map<string, Pod>();
  #ready: Pod[] = [];
  /** In order of arrival. */
  readonly #waiters = new Set<Waiter>();
  /** When control was last told to wake it; monotonic milliseconds. */
  wokenMs = -Infinity;
  #yieldedMs = -Infinity;
  /** A free place is left to other threads just now. */
  #yielding = false;

  constructor(entry: BackendEntry, options: BackendOptions) {
    this.key = entry.key;
    this.#entry = entry;
    this.#options = options;
  }

  get entry(): BackendEntry {
    return this.#entry;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** No pod can take a request. */
  get isAtZero(): boolean {
    return this.#ready.length === 0;
  }

  get asleep(): boolean {
    return this.#waiters.size > 0 && this.isAtZero;
  }

  /** Brings the pods in line with `entry`; those missing get no request from now on. */
  update(entry: BackendEntry, generation: number): void {
    this.#entry = entry;
    const wanted = new Set(entry.pods.map((pod) => pod.id));
    for (const pod of this.#pods.values()) if (!wanted.has(pod.id)) this.#takeOut(pod, generation);
    for (const pod of entry.pods) this.#putIn(pod, generation);
    this.#ready = [...this.#pods.values()].filter((pod) => pod.ready && pod.removedIn === 0);
    this.serve();
  }

  /** Takes all pods out and refuses who waits. */
  remove(generation: number): void {
    this.#ready = [];
    for (const pod of this.#pods.values()) this.#takeOut(pod, generation);
    for (const waiter of this.#waiters) {
      this.leave(waiter);
      waiter.refused();
    }
  }

  /** A place on the pod with the fewest requests; undefined when there is none. Not while others wait: see `join`. */
  take(): Pod | undefined {
    return this.#waiters.size > 0 ? undefined : this.#choose();
  }

  /** A place on another pod than `but`, for a request that could not be sent to it. */
  takeOther(but: Pod): Pod | undefined {
    return this.#choose(but);
  }

  /** Queues up; false when the queue is full. The place may be granted before this returns. */
  join(waiter: Waiter): boolean {
    if (this.#waiters.size >= this.#options.queueDepth) return false;
    this.#waiters.add(waiter);
    this.#options.doorbell.waiting(1);
    if (this.#ready.length > 0 && this.#options.doorbell.shared) this.serve();
    else this.#proveStarting();
    return true;
  }

  leave(waiter: Waiter): void {
    if (this.#waiters.delete(waiter)) this.#options.doorbell.waiting(-1);
  }

  /** Gives a place back; the oldest waiter gets it, or another thread is told. */
  release(pod: Pod): void {
    pod.inUse--;
    if (pod.limit > 0) this.#options.inFlight.release(pod.slot);
    if (pod.removedIn > 0 && pod.inUse === 0) this.#drained(pod);
    if (pod.limit > 0 && (this.#waiters.size === 0 || this.#yielding || this.#yields())) this.#options.doorbell.ring();
    if (this.#waiters.size > 0) this.serve();
  }

  /** This thread's waiters take what it frees; without a pause now and then those of other threads would never get a place. */
  #yields(): boolean {
    const { doorbell, moment, nowMs } = this.#options;
    if (nowMs() - this.#yieldedMs < YIELD_EVERY_MS || !doorbell.othersWait) return false;
    this.#yieldedMs = nowMs();
    this.#yielding = true;
    moment(() => {
      this.#yielding = false;
      this.serve();
    });
    return true;
  }

  /** A connection to a starting pod succeeded. */
  proved(pod: Pod): void {
    if (pod.ready || pod.removedIn > 0) return;
    pod.ready = true;
    this.#ready.push(pod);
    this.serve();
  }

  closeIdle(): void {
    for (const pod of this.#pods.values()) pod.closeIdle();
  }

  /** Grants places to waiters, oldest first, as long as there are any. */
  serve(): void {
    if (this.#yielding) return;
    for (const waiter of this.#waiters) {
      const pod = this.#choose();
      if (pod === undefined) break;
      this.leave(waiter);
      waiter.granted(pod);
    }
    this.#proveStarting();
  }

  #proveStarting(): void {
    if (this.#waiters.size === 0) return;
    for (const pod of this.#pods.values()) if (!pod.ready && !pod.proving && pod.removedIn === 0) this.#options.prove(this, pod);
  }

  #choose(but?: Pod): Pod | undefined {
    // Between look and take another thread may be faster; every failed round means that somebody else got a place.
    for (let round = 0; round <= this.#ready.length + 8; round++) {
      const pod = this.#leastLoaded(but);
      if (pod === undefined) return undefined;
      if (pod.limit > 0 && !this.#options.inFlight.tryAcquire(pod.slot, pod.limit)) continue;
      pod.inUse++;
      return pod;
    }
    return undefined;
  }

  /** Fewest in flight, by chance among equals; of pods with a limit those of all threads count. */
  #leastLoaded(but?: Pod): Pod | undefined {
    let best: Pod | undefined;
    let fewest = Infinity;
    let equals = 0;
    for (const pod of this.#ready) {
      if (pod === but) continue;
      const count = pod.limit > 0 ? this.#options.inFlight.total(pod.slot) : pod.inUse;
      if (count > fewest || (pod.limit > 0 && count >= pod.limit)) continue;
      equals = count < fewest ? 1 : equals + 1;
      if (equals > 1 && below(this.#options.rng, equals) !== 0) continue;
      fewest = count;
      best = pod;
    }
    return best;
  }

  #putIn(entry: BackendPod, generation: number): void {
    const known = this.#pods.get(entry.id);
    const moved = known !== undefined && (known.slot !== entry.slot || known.address.host !== entry.address || known.address.port !== entry.port);
    if (known !== undefined && !moved) {
      known.removedIn = 0;
      if (entry.state === "ready") known.ready = true;
      return;
    }
    if (known !== undefined) this.#takeOut(known, generation);
    const limit = this.#entry.containerConcurrency;
    this.#pods.set(entry.id, new Pod({ id: entry.id, slot: entry.slot, host: entry.address, port: entry.port, limit, ready: entry.state === "ready" }));
  }

  #takeOut(pod: Pod, generation: number): void {
    if (pod.removedIn > 0) return;
    pod.removedIn = generation;
    pod.closeIdle();
    if (pod.inUse === 0) this.#drained(pod);
  }

  #drained(pod: Pod): void {
    if (this.#pods.get(pod.id) === pod) this.#pods.delete(pod.id);
    this.#options.podDrained(pod);
  }
}
