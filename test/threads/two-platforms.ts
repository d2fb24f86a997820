// The model of a hand-over: platforms that drain, one that has the control plane, clients of both, and messages between them that take
// their time. Gateway threads and control threads are moved one atomic operation at a time in an order that a seed decides; platforms
// hand over, are killed and come back. What must hold is looked at after every step.
import assert from "node:assert/strict";
import { below, SeededRng } from "#core";
import type { Backend as BackendEntry, BackendPod, GuestLine, HostLine, LentPlaces, RouteDelta } from "#protocol";
import type { Borrower } from "../../src/gateway/lent/borrower.ts";
import type { Borrowed, Lender, LenderOptions } from "../../src/gateway/lent/lender.ts";
import type { Backend, BackendOptions } from "../../src/gateway/pods/backend.ts";
import type { Pod } from "../../src/gateway/pods/pod.ts";
import type { Waiter } from "../../src/gateway/pods/wait-queue.ts";
import type { Doorbell } from "../../src/gateway/shared/doorbell.ts";
import type { InFlightTable } from "../../src/gateway/shared/in-flight.ts";
import { backendEntry } from "../../src/gateway/testing.ts";
import type { Stepping } from "./stepped.ts";
import type { Code, Steps } from "./world.ts";

const SLOTS = 2;
const ROW = 0;
/** The moment of gateway threads, the pause of the borrower's looks. */
const MOMENT_MS = 1;
const LOOK_MS = 20;
const DRAINING_MAX = 3;
/** Looks after which nothing new is to be expected. */
const LOOKS = 8;

interface Request extends Waiter {
  state: "coming" | "waiting" | "running" | "over";
  pod: Pod | undefined;
  /** Requests that came later by more than the patience, and were served before it. */
  overtaken: number;
  cameMs: number;
}

interface Thread {
  readonly bell: Steps<Doorbell>;
  readonly backend: Steps<Backend>;
  readonly requests: Set<Request>;
  readonly inbox: BackendEntry[];
  readonly moments: number[];
  /** Pods that connections are tried to. */
  readonly proving: Pod[];
  later: boolean;
  heardBell: number;
  work: Stepping<unknown> | undefined;
}

/** A connection between a platform that drains and the host. Lines that were sent arrive, and then its end. */
interface Link {
  readonly guest: Platform;
  readonly host: Platform;
  readonly up: GuestLine[];
  readonly down: HostLine[];
  borrowed: Borrowed | undefined;
  /** Which ends still read and write. */
  guestOpen: boolean;
  hostOpen: boolean;
}

interface Platform {
  readonly name: number;
  readonly cells: Int32Array;
  readonly bells: Int32Array;
  readonly threads: Thread[];
  readonly inFlight: Steps<InFlightTable>;
  readonly bell: Steps<Doorbell>;
  readonly lender: Steps<Lender>;
  readonly totalAt: (slot: number) => number;
  borrower: Steps<Borrower> | undefined;
  /** To the host. */
  link: Link | undefined;
  /** Those that have yet to tell which places they have; undefined once all have. */
  awaits: Set<Platform> | undefined;
  readonly moments: { readonly backend: Backend; readonly dueMs: number }[];
  readonly laters: Backend[];
  /** Pods that threads have left. */
  readonly drained: string[];
  /** Changes of the table that have yet to be told. */
  readonly changes: RouteDelta[];
  lookMs: number | undefined;
  /** Looks since it is to come to rest. */
  looks: number;
  heardBell: number;
  work: Stepping<unknown> | undefined;
}

export interface HandOverPlan {
  readonly threads: number;
  readonly limit: number;
  /** Of a thread. */
  readonly clients: number;
  readonly steps: number;
}

export class TwoPlatforms {
  readonly #code: Code;
  readonly #plan: HandOverPlan;
  readonly #rng: SeededRng;
  #host: Platform;
  readonly #draining: Platform[] = [];
  readonly #links: Link[] = [];
  /** By slot; undefined: none just now. */
  readonly #pods: (string | undefined)[] = ["pod-0", undefined];
  #nowMs = 1_000;
  #generation = 1;
  #names = 0;
  #granted = 0;
  #overtaken = 0;
  /** What clients do is over for the moment. */
  #closing = false;
  /** It is over for good. */
  #ended = false;

  constructor(code: Code, plan: HandOverPlan, seed: number) {
    this.#code = code;
    this.#plan = plan;
    this.#rng = new SeededRng(seed);
    this.#host = this.#start();
  }

  /** Runs to the end; throws when something does not hold. How many requests were granted a place, and the most that one was overtaken. */
  run(): { readonly granted: number; readonly overtaken: number } {
    for (let step = 0; step < this.#plan.steps; step++) {
      this.#step();
      if (below(this.#rng, 400) === 0) this.#rest();
    }
    this.#closing = true;
    this.#ended = true;
    this.#pods.forEach((pod, slot) => (this.#pods[slot] = pod ?? this.#formerIds[slot] ?? `pod-${slot}`));
    this.#changed();
    this.#rest();
    for (let ends = 0; ends < 10_000; ends++) {
      const running = this.#threads.flatMap((thread) =>
        [...thread.requests].filter(({ state }) => state === "running").map((request) => ({ thread, request })),
      );
      const next = running[below(this.#rng, running.length || 1)];
      if (next === undefined) break;
      next.thread.work = this.#ending(next.thread, next.request);
      this.#rest();
    }
    for (const { backend } of this.#threads) assert.equal(backend.waiting, 0, "a request waits although everything has ended");
    for (let slot = 0; slot < SLOTS; slot++) assert.equal(this.#total(this.#host, slot), 0, `a place of slot ${slot} is lost`);
    return { granted: this.#granted, overtaken: this.#overtaken };
  }

  get #platforms(): Platform[] {
    return [this.#host, ...this.#draining];
  }

  get #threads(): Thread[] {
    return this.#platforms.flatMap(({ threads }) => threads);
  }

  // One step.

  #step(): void {
    if (below(this.#rng, 8) === 0) this.#nowMs += below(this.#rng, 20) === 0 ? 30 : 1;
    const platforms = this.#platforms;
    const platform = platforms[below(this.#rng, platforms.length)] as Platform;
    const who = below(this.#rng, this.#plan.threads + 2);
    // Somebody gets some steps far while the others stand still.
    const steps = below(this.#rng, 3) === 0 ? 1 + below(this.#rng, 12) : 1;
    for (let step = 0; step < steps; step++) {
      if (!this.#platforms.includes(platform)) return;
      const thread = platform.threads[who];
      if (thread !== undefined) this.#stepThread(platform, thread);
      else if (who === this.#plan.threads) this.#stepControl(platform);
      else return this.#deed();
      this.#check();
    }
  }

  /** Something that happens to platforms and pods. */
  #deed(): void {
    if (this.#closing) return;
    const chance = below(this.#rng, 500);
    if (chance < 2 && this.#draining.length < DRAINING_MAX) this.#handOver();
    else if (chance === 2) this.#killHost();
    else if (chance === 3 && this.#draining.length > 0) this.#kill(this.#draining[below(this.#rng, this.#draining.length)] as Platform);
    else if (chance < 8) this.#changePods();
  }

  #stepThread(platform: Platform, thread: Thread): void {
    thread.work ??= this.#nextOf(platform, thread);
    if (thread.work?.next().done === true) thread.work = undefined;
  }

  #nextOf(platform: Platform, thread: Thread): Stepping<unknown> | undefined {
    const owed = this.#owedBy(platform, thread);
    if (owed.length > 0 && (this.#closing || below(this.#rng, 3) > 0)) return owed[below(this.#rng, owed.length)]?.();
    if (this.#closing) return undefined;
    const requests = [...thread.requests];
    const some = requests[below(this.#rng, requests.length || 1)];
    const chance = below(this.#rng, 10);
    if (some === undefined || (chance < 5 && requests.length < this.#plan.clients)) return this.#coming(thread);
    if (some.state === "running") return this.#ending(thread, some);
    if (some.state === "waiting" && chance === 9) {
      some.state = "over";
      thread.requests.delete(some);
      return thread.backend.leave(some);
    }
    return undefined;
  }

  #owedBy(platform: Platform, thread: Thread): (() => Stepping<unknown>)[] {
    const owed: (() => Stepping<unknown>)[] = [];
    const entry = thread.inbox[0];
    if (entry !== undefined) owed.push(() => thread.backend.update(thread.inbox.shift() as BackendEntry, this.#generation));
    if (thread.moments.some((dueMs) => dueMs <= this.#nowMs)) {
      owed.push(() => {
        thread.moments.shift();
        return thread.backend.momentOver();
      });
    }
    // A pod that refuses may go on to for long.
    if (thread.proving.length > 0 && (this.#ended || !this.#closing)) owed.push(() => this.#proving(thread, thread.proving.shift() as Pod));
    if (thread.later) {
      owed.push(() => {
        thread.later = false;
        return thread.backend.heard();
      });
    }
    const index = platform.threads.indexOf(thread);
    if (this.#rings(platform, index) !== thread.heardBell) owed.push(() => this.#listening(platform, thread, index));
    return owed;
  }

  *#listening(platform: Platform, thread: Thread, index: number): Stepping {
    thread.heardBell = this.#rings(platform, index);
    for (const row of yield* thread.bell.rung()) {
      if (thread.backend.row === row) thread.later = true;
      else yield* thread.bell.passOn(row);
    }
  }

  *#coming(thread: Thread): Stepping {
    const request: Request = {
      ...{ state: "coming", pod: undefined, overtaken: 0, cameMs: this.#nowMs },
      granted: (granted) => this.#runs(request, granted),
      refused: () => assert.fail("refused"),
    };
    thread.requests.add(request);
    const pod = yield* thread.backend.take();
    if (pod !== undefined) return this.#runs(request, pod);
    request.state = "waiting";
    assert.ok(yield* thread.backend.join(request));
  }

  *#proving(thread: Thread, pod: Pod): Stepping {
    pod.proving = false;
    yield* thread.backend.proved(pod);
  }

  #ending(thread: Thread, request: Request): Stepping<unknown> {
    const pod = request.pod as Pod;
    request.state = "over";
    thread.requests.delete(request);
    // Sometimes because the pod refused a connection.
    if (!this.#closing && below(this.#rng, 20) === 0) thread.backend.suspect(pod);
    return thread.backend.release(pod);
  }

  #runs(request: Request, pod: Pod): void {
    request.state = "running";
    request.pod = pod;
    this.#granted++;
    for (const thread of this.#threads) {
      for (const other of thread.requests) {
        if (other.state !== "waiting" || other.cameMs >= request.cameMs - this.#code.patienceMs) continue;
        this.#overtaken = Math.max(this.#overtaken, ++other.overtaken);
      }
    }
  }

  // Control threads.

  #stepControl(platform: Platform): void {
    platform.work ??= this.#controlWork(platform);
    if (platform.work?.next().done === true) platform.work = undefined;
  }

  #controlWork(platform: Platform): Stepping<unknown> | undefined {
    const owed = this.#owedByControl(platform);
    const next = owed[below(this.#rng, owed.length || 1)];
    return next === undefined ? this.#look(platform) : next();
  }

  #owedByControl(platform: Platform): (() => Stepping<unknown>)[] {
    const owed: (() => Stepping<unknown>)[] = [];
    for (const link of this.#links) {
      if (link.host === platform && link.hostOpen && link.up.length > 0) owed.push(() => this.#hostReads(link, link.up.shift() as GuestLine));
      else if (link.host === platform && link.hostOpen && !link.guestOpen) owed.push(() => this.#hostSeesEnd(link));
      if (link.guest === platform && link.guestOpen && link.down.length > 0) owed.push(() => this.#guestReads(link, link.down.shift() as HostLine));
      else if (link.guest === platform && link.guestOpen && !link.hostOpen) owed.push(() => this.#guestSeesEnd(link));
    }
    if (platform.borrower !== undefined && platform.link === undefined) owed.push(() => this.#connecting(platform, platform.borrower as Steps<Borrower>));
    if (platform.awaits?.size === 0) {
      owed.push(() => {
        platform.awaits = undefined;
        return platform.lender.settled();
      });
    }
    if (platform.drained.length > 0) owed.push(() => this.#drained(platform, platform.drained.shift() as string));
    if (platform.changes.length > 0) owed.push(() => this.#telling(platform, platform.changes.shift() as RouteDelta));
    if (this.#rings(platform, this.#plan.threads) !== platform.heardBell) owed.push(() => this.#controlListens(platform));
    const later = platform.laters[0];
    if (later !== undefined) owed.push(() => platform.lender.serveNow(platform.laters.shift() as Backend));
    const moment = platform.moments.findIndex(({ dueMs }) => dueMs <= this.#nowMs);
    if (moment >= 0) {
      const [{ backend }] = platform.moments.slice(moment) as [Platform["moments"][number]];
      owed.push(() => {
        platform.moments.splice(moment, 1);
        return platform.lender.momentOver(backend);
      });
    }
    return owed;
  }

  *#drained(platform: Platform, pod: string): Stepping {
    if (platform.borrower !== undefined) yield* platform.borrower.drained(pod);
  }

  #look(platform: Platform): Stepping<unknown> | undefined {
    if (platform.borrower === undefined || platform.lookMs === undefined || platform.lookMs > this.#nowMs) return undefined;
    platform.lookMs = undefined;
    platform.looks++;
    return platform.borrower.look();
  }

  *#controlListens(platform: Platform): Stepping {
    platform.heardBell = this.#rings(platform, this.#plan.threads);
    for (const row of yield* platform.bell.rung()) yield* (platform.borrower ?? platform.lender).called(row);
  }

  /** A change of the table: the host first, then guests, then its own threads. */
  *#telling(host: Platform, delta: RouteDelta): Stepping {
    const greeted = this.#links.filter((link) => link.host === host && link.hostOpen && link.borrowed !== undefined);
    if (host.lender.hasGuests) yield* host.lender.follow(delta);
    for (const link of greeted) if (link.hostOpen) link.down.push({ tell: delta });
    for (const thread of host.threads) thread.inbox.push(delta.backends[0] as BackendEntry);
  }

  *#hostReads(link: Link, line: GuestLine): Stepping {
    const { host } = link;
    if ("hello" in line) {
      const batch = this.#table(true);
      yield* host.lender.follow(batch);
      if (link.hostOpen) link.down.push({ lends: true });
      link.borrowed = yield* host.lender.welcome(line.hello.places as LentPlaces, (word) => link.hostOpen && link.down.push(word));
      if (link.hostOpen) link.down.push({ tell: batch });
      host.awaits?.delete(link.guest);
    } else if (link.borrowed === undefined) {
      assert.fail("a guest has not greeted");
    } else if ("asks" in line) {
      yield* host.lender.asks(link.borrowed, line.asks);
    } else if ("back" in line) {
      yield* host.lender.givenBack(link.borrowed, line.back);
    }
  }

  *#hostSeesEnd(link: Link): Stepping {
    link.hostOpen = false;
    if (link.borrowed !== undefined) yield* link.host.lender.farewell(link.borrowed);
  }

  *#guestReads({ guest }: Link, line: HostLine): Stepping {
    const { borrower } = guest;
    if (borrower === undefined) return;
    if ("lends" in line) yield* borrower.begin();
    else if ("grants" in line) yield* borrower.receives(line.grants);
    else if ("others" in line) yield* borrower.othersWait(line.others);
    else if ("tell" in line && line.tell.type === "routes") {
      yield* borrower.follow(line.tell);
      for (const thread of guest.threads) thread.inbox.push(line.tell.backends[0] as BackendEntry);
    }
  }

  *#guestSeesEnd(link: Link): Stepping {
    link.guestOpen = false;
    link.guest.link = undefined;
    if (link.guest.borrower !== undefined) yield* link.guest.borrower.pause();
  }

  *#connecting(guest: Platform, borrower: Steps<Borrower>): Stepping {
    const link: Link = { guest, host: this.#host, up: [], down: [], borrowed: undefined, guestOpen: true, hostOpen: true };
    guest.link = link;
    this.#links.push(link);
    const places = yield* borrower.offer();
    link.up.push({ hello: { format: 1, threads: this.#plan.threads, places } });
  }

  // Platforms that come and go.

  #start(): Platform {
    const { threads } = this.#plan;
    const inFlight = new SharedArrayBuffer(this.#code.inFlightBytes(threads, SLOTS));
    const doorbell = new SharedArrayBuffer(this.#code.doorbellBytes(threads, 1));
    const handOf = (thread: number) => ({
      inFlight: new this.#code.InFlightTable(inFlight, { thread, threads }),
      doorbell: new this.#code.Doorbell(doorbell, { thread, threads, rows: 1, nowMs: () => this.#nowMs }),
    });
    const control = handOf(threads);
    const cells = new Int32Array(inFlight);
    const layout = new this.#code.InFlightLayout(cells.length, threads);
    const moments: Platform["moments"] = [];
    const laters: Backend[] = [];
    const drained: string[] = [];
    const options = {
      ...{ ...control, rng: new SeededRng(this.#rng.uint32()), nowMs: () => this.#nowMs },
      later: (backend: Backend) => laters.push(backend),
      moment: (backend: Backend) => moments.push({ backend, dueMs: this.#nowMs + MOMENT_MS }),
    };
    const lender = new this.#code.Lender(options as unknown as LenderOptions);
    const drainers = new Set(this.#draining);
    // Nobody else runs yet.
    if (drainers.size > 0) for (const _ of lender.reserve(this.#table(true).backends)) continue;
    return {
      ...{ name: this.#names++, cells, bells: new Int32Array(doorbell), lender, inFlight: control.inFlight, bell: control.doorbell },
      ...{ threads: Array.from({ length: threads }, (_, thread) => this.#thread(handOf(thread), drained)), totalAt: (slot) => layout.totalAt(slot) },
      ...{ borrower: undefined, link: undefined, awaits: drainers.size > 0 ? drainers : undefined, moments, laters, drained, changes: [] },
      ...{ lookMs: undefined, looks: 0, heardBell: 0, work: undefined },
    };
  }

  #thread(hand: { readonly inFlight: Steps<InFlightTable>; readonly doorbell: Steps<Doorbell> }, drained: string[]): Thread {
    const options = {
      ...{ ...hand, rng: new SeededRng(this.#rng.uint32()), queueDepth: 10_000, nowMs: () => this.#nowMs },
      prove: (_backend: unknown, pod: Pod) => {
        pod.proving = true;
        thread.proving.push(pod);
      },
      podDrained: (pod: Pod) => drained.push(pod.id),
      later: () => (thread.later = true),
      moment: () => thread.moments.push(this.#nowMs + MOMENT_MS),
    };
    const backend = new this.#code.Backend(this.#entry(), options as unknown as BackendOptions);
    const thread: Thread = {
      ...{ bell: hand.doorbell, backend, requests: new Set<Request>(), inbox: [this.#entry()], moments: [], proving: [] },
      ...{ later: false, heardBell: -1, work: undefined },
    };
    return thread;
  }

  /** In one go up to where the next platform may start: between the two there is nobody's step. */
  #handOver(): void {
    const old = this.#host;
    while (old.work !== undefined) this.#stepControl(old);
    for (const _ of old.lender.end()) continue;
    for (const link of this.#links) {
      if (link.host !== old) continue;
      link.hostOpen = false;
      if (link.borrowed !== undefined) for (const _ of old.lender.farewell(link.borrowed)) continue;
    }
    old.awaits = undefined;
    const borrower = new this.#code.Borrower({
      inFlight: old.inFlight as unknown as InFlightTable,
      doorbell: old.bell as unknown as Doorbell,
      nowMs: () => this.#nowMs,
      say: (word) => old.link !== undefined && old.link.up.push(word),
      lookLater: () => (old.lookMs = this.#nowMs + LOOK_MS),
    });
    const leaving = this.#formerIds.flatMap((pod, slot) =>
      pod === undefined || this.#pods[slot] !== undefined ? [] : [{ pod, slot, limit: this.#plan.limit }],
    );
    for (const _ of borrower.start(this.#table(true), leaving)) continue;
    while (old.changes.length > 0) for (const _ of this.#telling(old, old.changes.shift() as RouteDelta)) continue;
    old.borrower = borrower;
    this.#draining.push(old);
    this.#host = this.#start();
  }

  #killHost(): void {
    for (const link of this.#links) if (link.host === this.#host) link.hostOpen = false;
    this.#host = this.#start();
  }

  #kill(guest: Platform): void {
    this.#draining.splice(this.#draining.indexOf(guest), 1);
    this.#host.awaits?.delete(guest);
    for (const link of this.#links) if (link.guest === guest) link.guestOpen = false;
  }

  /** A pod comes or goes. In a row that nobody knows any more another one may come. */
  #changePods(): void {
    const slot = below(this.#rng, SLOTS);
    if (this.#pods[slot] !== undefined) {
      this.#pods[slot] = undefined;
    } else {
      const isForgotten = this.#isEverybodyTold && this.#running(slot).length === 0;
      this.#pods[slot] = isForgotten ? `pod-${slot}-${this.#generation}` : (this.#formerIds[slot] ?? `pod-${slot}`);
    }
    this.#changed();
  }

  readonly #formerIds: (string | undefined)[] = [...this.#pods];

  #changed(): void {
    this.#generation++;
    this.#pods.forEach((pod, slot) => (this.#formerIds[slot] = pod ?? this.#formerIds[slot]));
    this.#host.changes.push(this.#table(false));
  }

  get #isEverybodyTold(): boolean {
    const told = this.#draining.every(({ link }) => link !== undefined && link.host === this.#host && link.borrowed !== undefined && link.down.length === 0);
    const busy = this.#threads.some(({ inbox, work }) => inbox.length > 0 || work !== undefined) || this.#platforms.some(({ work }) => work !== undefined);
    return told && !busy && this.#host.changes.length === 0;
  }

  #table(reset: boolean): RouteDelta {
    return { type: "routes", generation: this.#generation, reset, hosts: [], hostsRemoved: [], backends: [this.#entry()], backendsRemoved: [] };
  }

  #entry(): BackendEntry {
    const pods = this.#pods.flatMap((id, slot): BackendPod[] => (id === undefined ? [] : [{ id, slot, address: "127.0.0.1", port: 1 + slot, state: "ready" }]));
    return backendEntry({ containerConcurrency: this.#plan.limit, pods, ...(pods.length === 0 ? {} : { queue: ROW }) });
  }

  // What must hold.

  #running(slot: number): Request[] {
    return this.#threads.flatMap(({ requests }) => [...requests]).filter(({ state, pod }) => state === "running" && pod?.slot === slot);
  }

  #check(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const byPod = new Map<string, number>();
      for (const { pod } of this.#running(slot)) byPod.set(pod?.id ?? "", (byPod.get(pod?.id ?? "") ?? 0) + 1);
      for (const [pod, count] of byPod) assert.ok(count <= this.#plan.limit, `${pod} runs ${count} requests, ${this.#plan.limit} allowed`);
    }
  }

  /** Lets everything run that is owed; then nobody waits beside a free place. */
  #rest(): void {
    const closing = this.#closing;
    this.#closing = true;
    for (const platform of this.#platforms) platform.looks = 0;
    for (let steps = 0; !this.#isAtRest; steps++) {
      this.#step();
      assert.ok(steps < 20_000, "it does not come to rest");
    }
    this.#closing = closing;
    const free = this.#pods.flatMap((pod, slot) => (pod !== undefined && this.#running(slot).length < this.#plan.limit ? [pod] : []));
    const waits = this.#threads.filter(({ backend, proving }) => backend.waiting > 0 && free.some((pod) => proving.every(({ id }) => id !== pod)));
    assert.equal(waits.length, 0, `threads wait beside a free place of ${free.join()}`);
  }

  get #isAtRest(): boolean {
    for (const platform of this.#platforms) {
      if (platform.work !== undefined || platform.moments.length > 0 || this.#owedByControl(platform).length > 0) return false;
      if (platform.awaits !== undefined || (platform.lookMs !== undefined && platform.looks < LOOKS)) return false;
      for (const thread of platform.threads) {
        if (thread.work !== undefined || thread.moments.length > 0 || this.#owedBy(platform, thread).length > 0) return false;
      }
    }
    return true;
  }

  #total(platform: Platform, slot: number): number {
    return platform.cells[platform.totalAt(slot)] ?? 0;
  }

  /** How often a bell has rung: a party's is the first of its two lines with one row. */
  #rings(platform: Platform, party: number): number {
    return platform.bells[party * 32] ?? 0;
  }
}
