// Adapter of the recorded breaker.json: a revision of the gateway whose pods, one request each, are the capacity.
import { SeededRng } from "#core";
import { Backend, Doorbell, inFlightBytes, InFlightTable } from "#gateway";
import type { BackendPod } from "#protocol";
import { compared, type Checked } from "./autoscaler-compare.ts";

interface BreakerCase {
  readonly queueDepth: number;
  readonly maxConcurrency: number;
  readonly initialCapacity: number;
  readonly ops: readonly (Counts & { readonly op: "start" | "finish" | "capacity"; readonly n: number })[];
}

interface Counts {
  readonly running: number;
  readonly waiting: number;
  readonly rejected: number;
  readonly done: number;
  readonly capacity: number;
  readonly inFlight: number;
}

/** What `Backend` grants: a place on a pod. */
type Place = Parameters<Backend["release"]>[0];

const ENTRY = {
  key: "ns/rev",
  protocol: "http1",
  containerConcurrency: 1,
  timeoutMs: 0,
  responseStartTimeoutMs: 0,
  idleTimeoutMs: 0,
  serverTiming: false,
} as const;

class Breaker {
  readonly #backend: Backend;
  readonly #most: number;
  readonly #running: Place[] = [];
  #capacity = 0;
  #rejected = 0;
  #done = 0;
  #generation = 0;

  constructor({ queueDepth, maxConcurrency, initialCapacity }: BreakerCase) {
    const running = this.#running;
    this.#most = maxConcurrency;
    this.#backend = new Backend(
      { ...ENTRY, pods: [] },
      {
        inFlight: new InFlightTable(new SharedArrayBuffer(inFlightBytes(1, maxConcurrency)), { thread: 0, threads: 1 }),
        doorbell: new Doorbell(undefined, { thread: 0, threads: 1, rows: 0, nowMs: () => 0 }),
        rng: new SeededRng(1),
        // The recorded queue has room for all that may ever run, too; the gateway's is for those that wait.
        get queueDepth() {
          return queueDepth + maxConcurrency - running.length;
        },
        prove: () => {},
        podDrained: () => {},
        nowMs: () => 0,
        later: (backend) => void backend.serve(),
        moment: (backend) => backend.momentOver(),
      },
    );
    this.capacity(initialCapacity);
  }

  start(): void {
    const place = this.#backend.take();
    if (place !== undefined) this.#running.push(place);
    else if (!this.#backend.join({ granted: (granted) => this.#running.push(granted), refused: () => {} })) this.#rejected++;
  }

  /** One that runs above the capacity goes first: its place is not there any more. */
  finish(): void {
    const above = this.#running.findIndex(({ removedIn }) => removedIn > 0);
    const [place] = this.#running.splice(Math.max(above, 0), 1);
    if (place === undefined) return;
    this.#done++;
    this.#backend.release(place);
  }

  /** As many pods, those that are in use first. */
  capacity(count: number): void {
    const used = new Set(this.#running.map(({ slot }) => slot));
    const slots = Array.from({ length: this.#most }, (_, slot) => slot).sort((a, b) => Number(used.has(b)) - Number(used.has(a)));
    const pods = slots.slice(0, count).map((slot): BackendPod => ({ id: `pod-${slot}`, slot, address: "127.0.0.1", port: 1, state: "ready" }));
    this.#capacity = count;
    this.#backend.update({ ...ENTRY, pods }, ++this.#generation);
  }

  counts(): Counts {
    const [running, waiting] = [this.#running.length, this.#backend.waiting];
    return { running, waiting, rejected: this.#rejected, done: this.#done, capacity: this.#capacity, inFlight: running + waiting };
  }
}

export function* checkBreaker(given: BreakerCase, name: string): Iterable<Checked> {
  const breaker = new Breaker(given);
  for (const [index, { op, n, ...want }] of given.ops.entries()) {
    if (op === "capacity") breaker.capacity(n);
    else for (let count = 0; count < n; count++) breaker[op]();
    yield compared(`${name} op ${index} ${op} ${n}`, want, breaker.counts());
  }
}
