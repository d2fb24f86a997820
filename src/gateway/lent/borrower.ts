// The places of a platform that drains: the next platform has all but those that requests of this one are on. Places that are not this
// platform's are in the control thread's column, so that its threads find the pods full.
//
// A place that becomes free serves the next request that waits here, unless one waits elsewhere that came earlier (the threads leave it
// to the control thread then, as they do to one another); a place that nobody here waits for goes back at once. What requests here
// wait for is asked for, one place each.
import type { Backend as BackendEntry, LentPlaces, RouteDelta } from "#protocol";
import { PATIENCE_MS } from "../pods/backend.ts";
import { isBefore, stampOf, type Doorbell } from "../shared/doorbell.ts";
import type { InFlightTable } from "../shared/in-flight.ts";

/** Places of one revision that are asked for at a time. */
export const ASKS_MAX = 256;

/** Later than any request: who waits since then is told of what nobody else waits for. */
const LATER_MS = 1_000_000_000;

/** What the lender is told. */
export type BorrowerWord =
  /** So many requests wait now, the oldest since then. */
  | { readonly asks: { readonly backend: string; readonly since: number; readonly count: number } }
  /** A place on each of these pods. */
  | { readonly back: readonly string[] };

export interface BorrowerOptions {
  /** Of the control thread. */
  readonly inFlight: InFlightTable;
  readonly doorbell: Doorbell;
  readonly nowMs: () => number;
  readonly say: (word: BorrowerWord) => void;
  /** Calls `look` after some time. */
  readonly lookLater: () => void;
}

interface Loan {
  readonly key: string;
  readonly limit: number;
  row: number;
  /** Slots by pod. */
  pods: ReadonlyMap<string, number>;
  /** Places asked for and not granted, and since when their requests wait. */
  asked: number;
  since: number;
  /** Since when a request waits elsewhere; 0: none does. */
  others: number;
  /** At the last look places were free that are left to a request here, and none has come since. */
  left: boolean;
  /** What was left was not taken: nothing is asked for until the next look. */
  pauses: boolean;
}

export class Borrower {
  readonly #options: BorrowerOptions;
  readonly #loans = new Map<string, Loan>();
  readonly #rows = new Map<number, Loan>();
  /** Whose the rows of the in-flight table are; those of pods that have gone until another pod has them. */
  readonly #slots = new Map<number, { readonly pod: string; readonly limit: number }>();
  /** Loans of which something is to come about. */
  readonly #open = new Set<Loan>();
  #hasLender = false;
  #looks = false;

  constructor(options: BorrowerOptions) {
    this.#options = options;
  }

  /** Before anything else: the table, and pods that have left it and may have requests still. */
  start(table: RouteDelta, leaving: readonly { readonly pod: string; readonly slot: number; readonly limit: number }[]): void {
    for (const { slot, ...whose } of leaving) this.#slots.set(slot, whose);
    this.follow(table);
  }

  /** All places that are free here are for somebody else from now on. Those that are not, by pod. */
  offer(): LentPlaces {
    const { inFlight } = this.#options;
    const places: [string, number][] = [];
    for (const [slot, { pod, limit }] of this.#slots) {
      while (inFlight.tryAcquire(slot, limit)) continue;
      const own = limit - inFlight.held(slot);
      if (own > 0) places.push([pod, own]);
    }
    return places;
  }

  /** Somebody has taken the offer, and gives places. */
  begin(): void {
    this.#hasLender = true;
    this.#options.doorbell.watch(true);
    for (const loan of this.#loans.values()) {
      loan.asked = 0;
      loan.others = 0;
      this.#show(loan);
      this.#settle(loan);
    }
  }

  /** The lender is gone, and nobody knows what it had: only what is here goes on to be used. */
  pause(): void {
    if (!this.#hasLender) return;
    this.#hasLender = false;
    this.#options.doorbell.watch(false);
    for (const loan of this.#loans.values()) this.#options.doorbell.publish(loan.row, 0);
    this.#options.doorbell.ringAll();
  }

  /** There is nobody who knows of places, or ever will be: all are this platform's. */
  end(): void {
    this.pause();
    const { inFlight, doorbell } = this.#options;
    for (const slot of this.#slots.keys()) inFlight.hold(slot, -inFlight.held(slot));
    doorbell.ringAll();
  }

  /** Routes as the threads are about to be told them: places of new pods are the lender's. */
  follow(delta: RouteDelta): void {
    const listed = new Set(delta.backends.map(({ key }) => key));
    if (delta.reset) for (const key of this.#loans.keys()) if (!listed.has(key)) this.#drop(key);
    for (const entry of delta.backends) if (entry.containerConcurrency > 0) this.#put(entry);
    for (const key of delta.backendsRemoved) this.#drop(key);
    // Threads that wait for pods that are new here have been asked for by nobody yet.
    if (this.#hasLender) for (const { key } of delta.backends) this.#settleOf(this.#loans.get(key));
  }

  /** The control thread's bell has rung for this row. */
  called(row: number): void {
    const loan = this.#rows.get(row);
    if (loan === undefined || !this.#hasLender) this.#options.doorbell.passOn(row);
    else this.#settle(loan);
  }

  receives({ backend, pod, others }: { readonly backend: string; readonly pod: string; readonly others: number }): void {
    const loan = this.#loans.get(backend);
    const slot = loan?.pods.get(pod);
    if (loan !== undefined) loan.asked = Math.max(0, loan.asked - 1);
    if (loan === undefined || slot === undefined) return this.#options.say({ back: [pod] });
    loan.others = others;
    loan.left = false;
    this.#show(loan);
    this.#options.inFlight.hold(slot, -1);
    this.#settle(loan);
  }

  othersWait({ backend, since }: { readonly backend: string; readonly since: number }): void {
    const loan = this.#loans.get(backend);
    if (loan === undefined) return;
    loan.others = since;
    this.#show(loan);
    this.#settle(loan);
  }

  /** A thread has no request left on a pod that it was told to leave: what it had there goes back, if the row is not the pod's any more. */
  drained(id: string): void {
    if (!this.#hasLender) return;
    let current = -1;
    for (const { pods } of this.#loans.values()) current = pods.get(id) ?? current;
    this.#leaveFormer(id, current);
  }

  /** What was left to a request here and not taken goes back, and what still waits is asked for. */
  look(): void {
    this.#looks = false;
    for (const loan of [...this.#open]) {
      this.#open.delete(loan);
      if (!this.#hasLender || this.#loans.get(loan.key) !== loan) continue;
      const left = this.#hasRoom(loan);
      loan.pauses = left && loan.left;
      if (loan.pauses) this.#giveBack(loan);
      loan.left = left && !loan.pauses;
      this.#settle(loan);
    }
  }

  #settleOf(loan: Loan | undefined): void {
    if (loan !== undefined) this.#settle(loan);
  }

  /** What is free goes to who has waited longest: the oldest here, or back. What is missing is asked for. */
  #settle(loan: Loan): void {
    const { doorbell } = this.#options;
    const eldest = loan.row < 0 ? -1 : doorbell.eldestOfAll(loan.row);
    const since = eldest < 0 ? 0 : doorbell.since(loan.row, eldest);
    if (since === 0) {
      this.#giveBack(loan);
      this.#ask(loan, 0, 0);
      return;
    }
    const overtakes = loan.others !== 0 && isBefore(loan.others, (since - PATIENCE_MS) | 0);
    if (overtakes) this.#giveBack(loan);
    if (!overtakes && this.#hasRoom(loan)) doorbell.ring(loan.row, eldest);
    else this.#ask(loan, loan.pauses ? 0 : Math.min(ASKS_MAX, doorbell.toldByAll(loan.row)), since);
    this.#keepOpen(loan);
  }

  #ask(loan: Loan, count: number, since: number): void {
    if (count === loan.asked && (count === 0 || since === loan.since)) return;
    loan.asked = count;
    loan.since = since;
    this.#options.say({ asks: { backend: loan.key, since, count } });
  }

  #giveBack(loan: Loan): void {
    const pods: string[] = [];
    for (const [pod, slot] of loan.pods) while (this.#options.inFlight.tryAcquire(slot, loan.limit)) pods.push(pod);
    if (pods.length > 0) this.#options.say({ back: pods });
  }

  #hasRoom(loan: Loan): boolean {
    for (const slot of loan.pods.values()) if (this.#options.inFlight.total(slot) < loan.limit) return true;
    return false;
  }

  #keepOpen(loan: Loan): void {
    this.#open.add(loan);
    if (this.#looks) return;
    this.#looks = true;
    this.#options.lookLater();
  }

  /** The threads see the requests that wait elsewhere as those of one more thread. */
  #show(loan: Loan): void {
    const { doorbell, nowMs } = this.#options;
    if (loan.row >= 0 && this.#hasLender) doorbell.publish(loan.row, loan.others === 0 ? stampOf(nowMs() + LATER_MS) : loan.others);
  }

  #put(entry: BackendEntry): void {
    const { key, containerConcurrency: limit, queue = -1, pods } = entry;
    const loan = this.#loans.get(key) ?? { key, limit, row: -1, pods: new Map(), asked: 0, since: 0, others: 0, left: false, pauses: false };
    this.#loans.set(key, loan);
    for (const { id, slot } of pods) this.#give(slot, { pod: id, limit });
    loan.pods = new Map(pods.map(({ id, slot }) => [id, slot]));
    for (const { id, slot } of pods) this.#leaveFormer(id, slot);
    this.#moveTo(loan, queue);
  }

  #drop(key: string): void {
    const loan = this.#loans.get(key);
    if (loan === undefined) return;
    this.#moveTo(loan, -1);
    this.#loans.delete(key);
  }

  #moveTo(loan: Loan, row: number): void {
    if (row === loan.row) return;
    if (this.#rows.get(loan.row) === loan) {
      this.#rows.delete(loan.row);
      this.#options.doorbell.publish(loan.row, 0);
    }
    loan.row = row;
    if (row >= 0) this.#rows.set(row, loan);
    this.#show(loan);
  }

  /** A row is another pod's: what the one before has left in it goes back, and all of it is the lender's. */
  #give(slot: number, next: { readonly pod: string; readonly limit: number }): void {
    const { inFlight } = this.#options;
    const former = this.#slots.get(slot);
    if (former?.pod === next.pod && former.limit === next.limit) return;
    this.#slots.set(slot, next);
    if (!this.#hasLender) return;
    if (former !== undefined) this.#return(slot, former.pod, former.limit);
    inFlight.hold(slot, next.limit - inFlight.total(slot));
  }

  /** What is free in rows that were the pod's goes back. */
  #leaveFormer(id: string, current: number): void {
    if (!this.#hasLender) return;
    for (const [slot, { pod, limit }] of this.#slots) if (pod === id && slot !== current) this.#return(slot, pod, limit);
  }

  #return(slot: number, pod: string, limit: number): void {
    const pods: string[] = [];
    while (this.#options.inFlight.tryAcquire(slot, limit)) pods.push(pod);
    if (pods.length > 0) this.#options.say({ back: pods });
  }
}
