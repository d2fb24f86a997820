// The model: some gateway threads, clients, pods that come and go, and a control thread, each moved one atomic operation at a time in
// an order that a seed decides; what must hold is looked at after every one of them.
import assert from "node:assert/strict";
import { below, SeededRng } from "#core";
import type { Borrower } from "../../src/gateway/lent/borrower.ts";
import type { Lender } from "../../src/gateway/lent/lender.ts";
import type { Doorbell } from "../../src/gateway/shared/doorbell.ts";
import type { Backend, BackendOptions } from "../../src/gateway/pods/backend.ts";
import type { InFlightLayout, InFlightTable } from "../../src/gateway/shared/in-flight.ts";
import type { Pod } from "../../src/gateway/pods/pod.ts";
import type { Recovery } from "../../src/gateway/shared/recovery.ts";
import type { Waiter } from "../../src/gateway/pods/wait-queue.ts";
import type { Backend as BackendEntry, BackendPod, LoadBalancing } from "#protocol";
import { backendEntry } from "../../src/gateway/testing.ts";
import { stepped, type Fault, type Step, type Stepping } from "./stepped.ts";

/** A class whose methods were made generators. */
export type Steps<C> = Pick<C, Extract<keyof C, "suspect" | "hasGuests">> & {
  [K in Exclude<keyof C, "suspect" | "hasGuests">]: C[K] extends (...args: infer A) => infer R ? (...args: A) => Stepping<R> : C[K];
};
export type Make<C, A extends unknown[]> = new (...args: A) => C;

export interface Code {
  readonly InFlightTable: Make<Steps<InFlightTable>, ConstructorParameters<typeof InFlightTable>>;
  readonly InFlightLayout: typeof InFlightLayout;
  readonly inFlightBytes: (threads: number, slots: number) => number;
  readonly Doorbell: Make<Steps<Doorbell>, ConstructorParameters<typeof Doorbell>>;
  readonly doorbellBytes: (threads: number, rows: number) => number;
  readonly Backend: Make<Steps<Backend>, ConstructorParameters<typeof Backend>>;
  readonly Recovery: Make<Steps<Recovery>, ConstructorParameters<typeof Recovery>>;
  readonly Lender: Make<Steps<Lender>, ConstructorParameters<typeof Lender>>;
  readonly Borrower: Make<Steps<Borrower>, ConstructorParameters<typeof Borrower>>;
  readonly patienceMs: number;
}

/** The gateway's code in steps; with a fault when one is given. */
export async function codeWith(fault?: Fault): Promise<Code> {
  const files = await Promise.all(
    ["in-flight", "doorbell", "backend", "recovery", "lender", "borrower"].map((file) => stepped<Record<string, unknown>>(file, fault)),
  );
  const all = Object.assign({}, ...files) as Code & { readonly PATIENCE_MS: number };
  return { ...all, patienceMs: all.PATIENCE_MS };
}

const SLOTS = 3;
const QUEUE_ROW = 0;
/** The gateway's moment. */
const MOMENT_MS = 1;

interface Request extends Waiter {
  state: "coming" | "waiting" | "running" | "over";
  /** Of those that run. */
  pod: Pod | undefined;
  cameMs: number;
}

/** What a thread does until it has ended: steps, and what it means. */
interface Work {
  readonly name: string;
  readonly steps: Stepping<unknown>;
  /** Since when requests of each thread wait, as the table had it at the beginning; 0 for one that has yet to hear of pods. */
  readonly sinceThen: readonly number[];
  readonly beganMs: number;
  rings: number;
}

interface Thread {
  readonly index: number;
  readonly backend: Steps<Backend>;
  readonly bell: Steps<Doorbell>;
  work: Work | undefined;
  readonly requests: Set<Request>;
  /** Changes of the routes that it has not taken yet. */
  readonly inbox: BackendEntry[];
  readonly moments: number[];
  /** Pods that connections are tried to. */
  readonly proving: Pod[];
  later: boolean;
  heardBell: number;
  readonly deafUntilMs: number[];
}

export interface Plan {
  readonly threads: number;
  readonly limit: number;
  readonly loadBalancing: LoadBalancing;
  /** Of a thread: as many requests as it has at most. */
  readonly clients: number;
  /** Steps before the end begins. */
  readonly steps: number;
}

export class World {
  readonly #code: Code;
  readonly #plan: Plan;
  readonly #rng: SeededRng;
  readonly #inFlight: SharedArrayBuffer;
  readonly #doorbell: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #bells: Int32Array;
  readonly #layout: InFlightLayout;
  readonly #recovery: Steps<Recovery>;
  readonly #threads: (Thread | undefined)[] = [];
  /** Deaths that control has not dealt with, and what it does about one. */
  readonly #dead: number[] = [];
  /** Those dealt with whose successors have yet to start. */
  readonly #buried: number[] = [];
  #control: Stepping<unknown> | undefined;
  #nowMs = 1_000;
  #generation = 0;
  #pods: boolean[] = [true, true, false];
  #granted = 0;
  /** What clients do is over: the rest is to come to its end. */
  #closing = false;
  #ending = false;
  /** Who moves, and how many steps more. */
  #who = 0;
  #burst = 0;

  constructor(code: Code, plan: Plan, seed: number) {
    this.#code = code;
    this.#plan = plan;
    this.#rng = new SeededRng(seed);
    this.#inFlight = new SharedArrayBuffer(code.inFlightBytes(plan.threads, SLOTS));
    this.#doorbell = new SharedArrayBuffer(code.doorbellBytes(plan.threads, 1));
    this.#cells = new Int32Array(this.#inFlight);
    this.#bells = new Int32Array(this.#doorbell);
    this.#layout = new code.InFlightLayout(this.#cells.length, plan.threads);
    this.#recovery = new code.Recovery({ inFlight: this.#inFlight, doorbell: this.#doorbell, threads: plan.threads, rows: 1 });
    for (let index = 0; index < plan.threads; index++) this.#threads[index] = this.#start(index);
  }

  /** Runs to the end; throws when something does not hold. How many requests were granted a place. */
  run(): number {
    for (let step = 0; step < this.#plan.steps; step++) {
      this.#step();
      if (below(this.#rng, 100) === 0) this.#rest();
    }
    this.#closing = true;
    this.#ending = true;
    this.#pods = this.#pods.map(() => true);
    this.#tellPods();
    this.#rest();
    // Whoever runs ends, one after the other: all that wait have their turn.
    for (let ends = 0; ends < 10_000; ends++) {
      const running = this.#live.flatMap((thread) => [...thread.requests].filter(({ state }) => state === "running").map((request) => ({ thread, request })));
      const next = running[below(this.#rng, running.length || 1)];
      if (next === undefined) break;
      this.#end(next.thread, next.request);
      this.#rest();
    }
    for (const thread of this.#live) assert.equal(thread.backend.waiting, 0, "a request waits although everything has ended");
    for (let slot = 0; slot < SLOTS; slot++) assert.equal(this.#total(slot), 0, `a place of pod ${slot} is lost`);
    return this.#granted;
  }

  get #live(): Thread[] {
    return this.#threads.filter((thread) => thread !== undefined);
  }

  // One step.

  #step(): void {
    if (below(this.#rng, 8) === 0) this.#nowMs += below(this.#rng, 20) === 0 ? 30 : 1;
    // Now and then somebody gets far while the others stand still.
    if (this.#burst-- <= 0) {
      this.#who = below(this.#rng, this.#plan.threads + 1);
      this.#burst = below(this.#rng, 3) === 0 ? below(this.#rng, 12) : 0;
    }
    const who = this.#who;
    const thread = this.#threads[who];
    if (who === this.#plan.threads) this.#stepControl();
    else if (thread !== undefined) this.#stepThread(thread);
    this.#check();
  }

  #stepThread(thread: Thread): void {
    if (!this.#closing && below(this.#rng, 300) === 0) return this.#die(thread);
    thread.work ??= this.#next(thread);
    if (thread.work !== undefined) this.#advance(thread, thread.work);
  }

  #advance(thread: Thread, work: Work): void {
    const step = work.steps.next();
    if (step.done === true) thread.work = undefined;
    else this.#count(work, step.value);
  }

  /** A place that is given back wakes one thread at most. */
  #count(work: Work, step: Step): void {
    if (step !== "notify") return;
    work.rings++;
    if (work.name === "release") assert.equal(work.rings, 1, "a release wakes more than one thread");
  }

  /** What the thread does next: what it owes, or something of a client's. */
  #next(thread: Thread): Work | undefined {
    const owed = this.#owed(thread);
    if (owed.length > 0 && (this.#closing || below(this.#rng, 3) > 0)) return owed[below(this.#rng, owed.length)]?.();
    if (this.#closing) return undefined;
    const requests = [...thread.requests];
    const some = requests[below(this.#rng, requests.length || 1)];
    const chance = below(this.#rng, 10);
    if (some === undefined || (chance < 5 && requests.length < this.#plan.clients)) return this.#come(thread);
    if (some.state === "running") return this.#endWork(thread, some);
    if (some.state === "waiting" && chance === 9) return this.#leaveWork(thread, some);
    return undefined;
  }

  #owed(thread: Thread): (() => Work)[] {
    const owed: (() => Work)[] = [];
    const entry = thread.inbox[0];
    if (entry !== undefined) owed.push(() => this.#work(thread, "update", thread.backend.update(thread.inbox.shift() as BackendEntry, this.#generation)));
    if (thread.moments.some((dueMs) => dueMs <= this.#nowMs)) owed.push(() => this.#momentWork(thread));
    // A pod that refuses may go on to for long.
    if (thread.proving.length > 0 && (this.#ending || !this.#closing))
      owed.push(() => this.#work(thread, "prove", this.#prove(thread, thread.proving.shift() as Pod)));
    if (thread.later) owed.push(() => this.#laterWork(thread));
    if (this.#bell(thread.index) !== thread.heardBell) owed.push(() => this.#work(thread, "bell", this.#listen(thread)));
    return owed;
  }

  #work(thread: Thread, name: string, steps: Stepping<unknown>): Work {
    const sinceThen = this.#threads.map((other) => (other === undefined || other === thread || isBehind(other) ? 0 : this.#since(other.index)));
    return { name, steps, sinceThen, beganMs: this.#nowMs, rings: 0 };
  }

  #momentWork(thread: Thread): Work {
    thread.moments.splice(0, 1);
    return this.#work(thread, "moment", thread.backend.momentOver());
  }

  #laterWork(thread: Thread): Work {
    thread.later = false;
    return this.#work(thread, "later", thread.backend.heard());
  }

  /** What the gateway does when its bell rings. */
  *#listen(thread: Thread): Stepping {
    thread.heardBell = this.#bell(thread.index);
    for (const row of yield* thread.bell.rung()) {
      if (thread.backend.row === row) thread.later = true;
      else yield* thread.bell.passOn(row);
    }
  }

  #come(thread: Thread): Work {
    const request: Request = {
      state: "coming",
      pod: undefined,
      cameMs: this.#nowMs,
      granted: (pod) => {
        assert.equal(request.state, "waiting", "a place is granted twice");
        this.#runs(thread, request, pod);
      },
      refused: () => assert.fail("refused"),
    };
    thread.requests.add(request);
    return this.#work(thread, "come", this.#coming(thread, request));
  }

  *#coming(thread: Thread, request: Request): Stepping {
    const pod = yield* thread.backend.take();
    if (pod !== undefined) return this.#runs(thread, request, pod);
    request.state = "waiting";
    request.cameMs = this.#nowMs;
    assert.ok(yield* thread.backend.join(request));
  }

  #endWork(thread: Thread, request: Request): Work {
    const pod = request.pod as Pod;
    request.state = "over";
    thread.requests.delete(request);
    // Sometimes because the pod refused a connection.
    if (!this.#closing && below(this.#rng, 10) === 0) thread.backend.suspect(pod);
    return this.#work(thread, "release", thread.backend.release(pod));
  }

  *#prove(thread: Thread, pod: Pod): Stepping {
    pod.proving = false;
    yield* thread.backend.proved(pod);
  }

  #leaveWork(thread: Thread, request: Request): Work {
    request.state = "over";
    thread.requests.delete(request);
    return this.#work(thread, "leave", thread.backend.leave(request));
  }

  #runs(thread: Thread, request: Request, pod: Pod): void {
    assert.equal(pod.removedIn, 0, "a request goes to a pod that is going away");
    this.#fair(thread, request);
    request.state = "running";
    request.pod = pod;
    this.#granted++;
  }

  /** Nobody is overtaken by who came more than the patience later, unless its thread does not come when it is called. */
  #fair(thread: Thread, request: Request): void {
    const work = thread.work;
    if (work === undefined) return;
    const cameMs = request.state === "coming" ? work.beganMs : request.cameMs;
    for (const other of this.#live) {
      const since = work.sinceThen[other.index] ?? 0;
      if (other === thread || since === 0 || this.#since(other.index) !== since || thread.backend.row < 0) continue;
      if (since >= cameMs - this.#code.patienceMs || (thread.deafUntilMs[other.index] ?? 0) > work.beganMs) continue;
      assert.fail(`a request that came at ${cameMs} overtakes one that waits since ${since} in thread ${other.index}`);
    }
  }

  // Threads that die, and the control thread.

  #start(index: number): Thread {
    const place = { thread: index, threads: this.#plan.threads };
    const deafUntilMs: number[] = [];
    const bell = new this.#code.Doorbell(this.#doorbell, { ...place, rows: 1, nowMs: () => this.#nowMs });
    const plain = bell as unknown as { passOver: (other: number) => void };
    const passOver = plain.passOver.bind(bell);
    plain.passOver = (other) => {
      deafUntilMs[other] = this.#nowMs + 20;
      passOver(other);
    };
    const options = {
      inFlight: new this.#code.InFlightTable(this.#inFlight, place),
      doorbell: bell,
      rng: new SeededRng(this.#rng.uint32()),
      queueDepth: 10_000,
      prove: (_backend: unknown, pod: Pod) => {
        pod.proving = true;
        thread.proving.push(pod);
      },
      podDrained: () => undefined,
      nowMs: () => this.#nowMs,
      later: () => (thread.later = true),
      moment: () => thread.moments.push(this.#nowMs + MOMENT_MS),
    };
    const backend = new this.#code.Backend(this.#entry(), options as unknown as BackendOptions);
    const thread: Thread = {
      ...{ index, backend, bell, work: undefined, requests: new Set<Request>(), inbox: [this.#entry()], moments: [], proving: [] },
      ...{ later: false, heardBell: -1, deafUntilMs },
    };
    return thread;
  }

  #die(thread: Thread): void {
    this.#threads[thread.index] = undefined;
    this.#dead.push(thread.index);
  }

  #stepControl(): void {
    if (this.#control !== undefined) {
      if (this.#control.next().done === true) this.#control = undefined;
      return;
    }
    const dead = this.#dead.shift();
    if (dead !== undefined) this.#control = this.#bury(dead);
    else if (!this.#closing && this.#buried.length > 0 && below(this.#rng, 30) === 0) this.#replace(this.#buried.shift() as number);
    else if (!this.#closing && below(this.#rng, 40) === 0) this.#changePods();
  }

  *#bury(index: number): Stepping {
    yield* this.#recovery.bury(index);
    this.#buried.push(index);
    while (!(yield* this.#recovery.settle())) {
      // Another thread that died within an operation is in the way.
      const other = this.#dead.shift();
      if (other !== undefined) yield* this.#bury(other);
    }
  }

  #replace(index: number): void {
    this.#threads[index] = this.#start(index);
  }

  #changePods(): void {
    const slot = below(this.#rng, SLOTS);
    this.#pods[slot] = this.#pods[slot] !== true;
    this.#tellPods();
  }

  #tellPods(): void {
    this.#generation++;
    for (const thread of this.#live) thread.inbox.push(this.#entry());
  }

  #entry(): BackendEntry {
    const pods = this.#pods.flatMap((present, slot): BackendPod[] =>
      present ? [{ id: `pod-${slot}`, slot, address: "127.0.0.1", port: 1 + slot, state: "ready" }] : [],
    );
    const { limit, loadBalancing } = this.#plan;
    return backendEntry({ containerConcurrency: limit, loadBalancing, pods, ...(pods.length === 0 ? {} : { queue: QUEUE_ROW }) });
  }

  // What must hold.

  #check(): void {
    const words = Array.from({ length: this.#plan.threads }, (_, thread) => this.#cells[this.#layout.wordAt(thread)] ?? 0);
    const quiet = words.every((word) => (word & 1) === 0) && this.#control === undefined;
    for (let slot = 0; slot < SLOTS; slot++) {
      const total = this.#total(slot);
      let sum = 0;
      for (let thread = 0; thread < this.#plan.threads; thread++) sum += this.#cells[this.#layout.columnAt(slot, thread)] ?? 0;
      const running = this.#live.flatMap((thread) => [...thread.requests]).filter(({ state, pod }) => state === "running" && pod?.slot === slot).length;
      assert.ok(running <= total && total <= this.#plan.limit, `pod ${slot}: ${running} run, ${total} counted, ${this.#plan.limit} allowed`);
      assert.ok(total >= sum, `pod ${slot}: total ${total} is less than its columns, ${sum}`);
      if (quiet) assert.equal(total, sum, `pod ${slot}: the total is not the sum of its columns`);
    }
  }

  /** Lets everything run that is owed; then nobody waits beside a free place. */
  #rest(): void {
    const closing = this.#closing;
    this.#closing = true;
    for (let steps = 0; !this.#isAtRest; steps++) {
      this.#step();
      assert.ok(steps < 20_000, "it does not come to rest");
    }
    this.#closing = closing;
    const free = this.#pods.flatMap((present, slot) => (present && this.#total(slot) < this.#plan.limit ? [slot] : []));
    const waiting = this.#live.filter(({ backend, proving }) => backend.waiting > 0 && free.some((slot) => proving.every((pod) => pod.slot !== slot)));
    assert.deepEqual(
      waiting.map(({ index }) => index),
      [],
      "threads wait beside a free place",
    );
  }

  get #isAtRest(): boolean {
    const busy = this.#live.some((thread) => thread.work !== undefined || thread.moments.length > 0 || this.#owed(thread).length > 0);
    return !busy && this.#dead.length === 0 && this.#control === undefined;
  }

  #end(thread: Thread, request: Request): void {
    const work = this.#endWork(thread, request);
    thread.work = work;
  }

  #total(slot: number): number {
    return this.#cells[this.#layout.totalAt(slot)] ?? 0;
  }

  /** The cells of the doorbell as it lays them out with one row: per thread, and for the control thread, a line for the bell and one for its bit. */
  #bell(thread: number): number {
    return this.#bells[thread * 32] ?? 0;
  }

  #since(thread: number): number {
    return this.#bells[(this.#plan.threads + 1) * 32 + thread] ?? 0;
  }
}

/** It has yet to hear which pods there are, or is about it. */
function isBehind(thread: Thread): boolean {
  return thread.inbox.length > 0 || thread.work?.name === "update";
}
