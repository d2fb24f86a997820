// Adapter of the recorded activator-*.json: which pod the gateway gives a request to, and how many places a revision has in one hop.
import { SeededRng } from "#core";
import { Backend, Doorbell, inFlightBytes, InFlightTable } from "#gateway";
import type { Backend as BackendEntry, BackendPod, LoadBalancing } from "#protocol";
import { compared, type Checked } from "./autoscaler-compare.ts";

/** What `Backend` grants: a place on a pod. */
type Place = Parameters<Backend["release"]>[0];

const PODS_MAX = 64;
/** Places that are counted one by one. */
const PLACES_MAX = 20_000;

/** A revision of a gateway of one thread. */
class OneHop {
  readonly #entry: Omit<BackendEntry, "pods">;
  readonly #backend: Backend;
  #generation = 0;

  constructor(containerConcurrency: number, loadBalancing: LoadBalancing) {
    this.#entry = {
      ...{ key: "ns/rev", protocol: "http1", timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0, serverTiming: false },
      ...{ service: "", configuration: "", containerConcurrency, loadBalancing },
    } as Omit<BackendEntry, "pods">;
    this.#backend = new Backend(
      { ...this.#entry, pods: [] },
      {
        inFlight: new InFlightTable(new SharedArrayBuffer(inFlightBytes(1, PODS_MAX)), { thread: 0, threads: 1 }),
        doorbell: new Doorbell(undefined, { thread: 0, threads: 1, rows: 0, nowMs: () => 0 }),
        rng: new SeededRng(1),
        queueDepth: 0,
        prove: () => {},
        podDrained: () => {},
        nowMs: () => 0,
        later: () => {},
        moment: () => {},
      },
    );
  }

  pods(count: number): void {
    const pods = Array.from({ length: count }, (_, slot): BackendPod => ({ id: `${slot}`, slot, address: "127.0.0.1", port: 1000 + slot, state: "ready" }));
    this.#backend.update({ ...this.#entry, pods }, ++this.#generation);
  }

  take(): Place | undefined {
    return this.#backend.take();
  }

  release(place: Place): void {
    this.#backend.release(place);
  }

  /** Places that are free, as far as they are counted. */
  capacity(): number {
    const taken: Place[] = [];
    for (let place = this.take(); place !== undefined && taken.length < PLACES_MAX; place = this.take()) taken.push(place);
    for (const place of taken) this.release(place);
    return taken.length;
  }
}

interface BalanceCase {
  readonly containerConcurrency: number;
  readonly pods: number;
  readonly ops: readonly (readonly ["acquire" | "release", number | null])[];
}

/** By the policy that the activator has for this limit; ours is a choice of its own. */
export function* checkBalance({ containerConcurrency, pods, ops }: BalanceCase, name: string): Iterable<Checked> {
  const hop = new OneHop(containerConcurrency, containerConcurrency <= 3 ? "first-available" : "round-robin");
  hop.pods(pods);
  const taken: Place[] = [];
  for (const [index, [op, pod]] of ops.entries()) {
    if (op === "acquire") {
      const place = hop.take();
      if (place !== undefined) taken.push(place);
      yield compared(`${name} op ${index}`, pod, place?.slot ?? null);
    } else {
      const at = taken.findIndex(({ slot }) => slot === pod);
      const [place] = taken.splice(at, 1);
      if (place !== undefined) hop.release(place);
    }
  }
}

interface ThrottlerCase {
  readonly containerConcurrency: number;
  readonly steps: readonly {
    readonly op: { readonly kind: "pods" | "activators"; readonly pods: number; readonly clusterIP?: string };
    readonly capacity: number;
    readonly assigned: "clusterIP" | readonly number[];
  }[];
}

/** Steps in which the activator has all pods; those in which it has a slice of them, or a cluster IP, have no like in one hop. */
export function* checkThrottler({ containerConcurrency, steps }: ThrottlerCase, name: string): Iterable<Checked> {
  const hop = new OneHop(containerConcurrency, "least-requests");
  let pods = 0;
  for (const [index, { op, capacity, assigned }] of steps.entries()) {
    if (op.kind === "pods") {
      pods = op.pods;
      hop.pods(pods);
    }
    if (assigned === "clusterIP" || assigned.length < pods) continue;
    yield compared(`${name} step ${index}`, capacity, containerConcurrency === 0 ? Math.min(hop.capacity(), 1) : hop.capacity());
  }
}
