// One subscriber's deliveries: reads its stream at its cursor, chooses, sends, and does what the plan says follows. Knows no other subscriber.
import { assert, Parking, type Clock, type Logger } from "#core";
import type { EventSubscriber } from "#protocol";
import type { AttemptNote, DeliveryCursor, EventLog, LogRecord, NoteAttempt, StreamLog } from "../port.ts";
import { canonical } from "../cloudevents/event.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";
import { Lanes, type Lane } from "./lanes.ts";
import { outgoingFor } from "./outgoing.ts";
import { FRESH, planStep, type Attempt, type DeliveryState, type DeliveryStep, type ReplyResult } from "./plan.ts";
import type { Sender, Sent } from "./send.ts";
import { isAccepted } from "./retry.ts";
import type { UnderWay } from "./under-way.ts";

/** Which events the subscriber gets. */
export type Selects = (event: StoredEvent) => boolean;

/** Takes the reply in an accepted answer; undefined: there is none, or nobody wants it. Never rejects. */
export type TakeReply = (
  subscriber: EventSubscriber,
  event: { readonly stored: StoredEvent; readonly offset: number },
  sent: Sent,
) => Promise<{ readonly result: ReplyResult; readonly offset?: number } | undefined>;

export interface SubscriptionOptions {
  readonly subscriber: EventSubscriber;
  readonly selects: Selects;
  readonly log: Pick<EventLog, "read">;
  readonly stream: Pick<StreamLog, "reader">;
  readonly cursor: DeliveryCursor;
  readonly sender: Sender;
  /** Of all subscribers. */
  readonly underWay: UnderWay;
  readonly takeReply: TakeReply;
  readonly note: NoteAttempt;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Requests under way of one subscriber. */
const RUNNING_MAX = 64;
/** Octets of events under way; one event may always go. */
const RUNNING_BYTES_MAX = 32 << 20;
/** Events that wait for others of their lane; beyond it nothing more is read. */
const HELD_MAX = 1_000;
/** Attempts of the second leg are counted from here in the log, which keeps a number alone. */
const DEAD_LETTER_LEG = 1 << 20;
/** Data as long are looked at where they were read; shorter ones are copied, since they would keep all that was read with them. */
const OWN_BYTES_MAX = 64 << 10;

interface Run {
  readonly offset: number;
  readonly state: DeliveryState;
}

export class Subscription {
  readonly #options: SubscriptionOptions;
  /** Where the two loops rest: one reads on, one tries again. */
  readonly #room = new Parking();
  readonly #due = new Parking();
  readonly #lanes = new Lanes();
  /** What waits for its turn. */
  readonly #held = new Map<number, Run>();
  readonly #running = new Map<number, Promise<void>>();
  /** Why what waits for the dead letter sink is dead. Lost with the process: then the subscriber is asked once more. */
  readonly #errors = new Map<number, DeliveryState["error"]>();
  #runningBytes = 0;
  #subscriber: EventSubscriber;
  #selects: Selects;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#subscriber = options.subscriber;
    this.#selects = options.selects;
  }

  /** What is under way ends by the rules that it began with. */
  update(subscriber: EventSubscriber, selects: Selects): void {
    this.#subscriber = subscriber;
    this.#selects = selects;
    this.#stir();
  }

  /** How it stands just now, for those who ask. */
  get view(): { readonly selects: Selects; readonly next: number; readonly open: ReturnType<DeliveryCursor["open"]> } {
    const { cursor } = this.#options;
    return { selects: this.#selects, next: cursor.next, open: cursor.open() };
  }

  /** A parked event, or one that waits, is tried now; false when it is neither. */
  resume(offset: number): boolean {
    const due = this.#options.cursor.resume(offset);
    if (due !== undefined) this.#begin(this.#fresh(due.offset, 0));
    return due !== undefined;
  }

  /** Until the signal aborts and what was under way has been given up; it is delivered anew by whoever opens the cursor next. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await this.#restoreLanes();
    await Promise.all([this.#readOn(signal), this.#tryAgain(signal)]);
    this.#options.underWay.forget(this.#roomCame);
    await Promise.all(this.#running.values());
    for (const run of this.#held.values()) this.#giveUp(run);
  }

  #signal: AbortSignal | undefined;

  readonly #roomCame = (): void => this.#stir();

  #stir(): void {
    this.#room.leave();
    this.#due.leave();
  }

  /** How many more may be under way. */
  get #free(): number {
    const { underWay } = this.#options;
    const own = { requests: this.#running.size, bytes: this.#runningBytes };
    if (this.#subscriber.target === undefined || own.bytes >= RUNNING_BYTES_MAX || own.requests >= RUNNING_MAX) return 0;
    const room = underWay.roomFor(own);
    if (room === 0) underWay.wait(this.#roomCame);
    return Math.min(RUNNING_MAX - own.requests, room);
  }

  get #mayRead(): boolean {
    const held = this.#held.size;
    return this.#free > 0 && !this.#options.cursor.full && held < (this.#subscriber.order === "whole" ? 1 : HELD_MAX);
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const { stream, cursor } = this.#options;
    const reader = stream.reader(cursor.next);
    while (!signal.aborted) {
      for (const record of await reader.next(signal)) {
        // Nothing is awaited between the look and the rest, so that no call to go on is missed.
        while (!signal.aborted && !this.#mayRead) await this.#room.stay(signal);
        if (signal.aborted) return;
        this.#look(record);
      }
    }
  }

  async #tryAgain(signal: AbortSignal): Promise<void> {
    const { cursor, clock } = this.#options;
    while (!signal.aborted) {
      const free = this.#free;
      const due = free > 0 ? cursor.takeDue(clock.wallMs(), free) : [];
      for (const { offset, attempt } of due) this.#begin(this.#fresh(offset, attempt));
      if (due.length > 0) continue;
      const { nextDueMs } = cursor;
      if (free === 0 || nextDueMs === undefined || nextDueMs === Infinity) await this.#due.stay(signal);
      else await this.#until(nextDueMs, signal);
    }
  }

  /** Or until something stirs: an earlier one may be due. */
  async #until(wallMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    const due = clock.sleep(Math.max(0, wallMs - clock.wallMs()), AbortSignal.any([signal, over.signal])).then(
      () => this.#due.leave(),
      () => undefined,
    );
    await this.#due.stay(signal);
    over.abort();
    await due;
  }

  /** What is open from before: the oldest of a lane goes first again. */
  async #restoreLanes(): Promise<void> {
    const { log, cursor } = this.#options;
    if (this.#subscriber.order === "none") return;
    const offsets = [...cursor.open()].filter(({ dueMs }) => dueMs !== Infinity).map(({ offset }) => offset);
    for (const offset of offsets.sort((a, b) => a - b)) {
      const record = await log.read(offset);
      if (record !== undefined) this.#lanes.enter(this.#laneOf(decodeStored(record.value)), offset);
    }
  }

  /** From the number that the log keeps; a dead letter whose reason is forgotten is the subscriber's last attempt again. */
  #fresh(offset: number, attempt: number): Run {
    if (attempt < DEAD_LETTER_LEG) return { offset, state: { attempts: attempt } };
    const error = this.#errors.get(offset);
    if (error === undefined) return { offset, state: { attempts: this.#subscriber.rules.retries } };
    return { offset, state: { attempts: attempt - DEAD_LETTER_LEG, error } };
  }

  #look({ offset, end, value }: LogRecord): void {
    const { cursor, logger } = this.#options;
    let event: StoredEvent;
    try {
      event = decodeStored(value);
    } catch (err) {
      logger.error("an event of the log cannot be read and is passed over", { offset, err });
      return cursor.pass(end);
    }
    if (this.#selects(event)) {
      cursor.take(offset);
      this.#lanes.enter(this.#laneOf(event), offset);
      this.#begin({ offset, state: FRESH }, ofItsOwn(event));
    }
    cursor.pass(end);
  }

  /** By key: events without one wait for nobody. */
  #laneOf({ attributes }: StoredEvent): Lane {
    const { order } = this.#subscriber;
    if (order === "none") return undefined;
    const key = order === "whole" ? "" : attributes.get("partitionkey");
    return key === undefined ? undefined : canonical(key);
  }

  #begin(run: Run, event?: StoredEvent): void {
    if (!this.#lanes.mayGo(run.offset)) {
      this.#held.set(run.offset, run);
      return;
    }
    const { underWay } = this.#options;
    underWay.take({ requests: 1 });
    const done = this.#deliver(run, event).finally(() => {
      this.#running.delete(run.offset);
      underWay.give({ requests: 1 });
      this.#stir();
    });
    this.#running.set(run.offset, done);
  }

  async #deliver({ offset, state }: Run, known?: StoredEvent): Promise<void> {
    const { cursor, clock, underWay } = this.#options;
    const signal = this.#signal;
    assert(signal !== undefined, "deliveries begin when the subscription runs");
    let bytes = 0;
    try {
      const event = known ?? (await this.#read(offset));
      if (event === undefined) return this.#left(offset, () => cursor.finish(offset));
      bytes = event.data?.octets.length ?? 0;
      this.#runningBytes += bytes;
      underWay.take({ bytes });
      for (let now = state; ;) {
        const step = await this.#attempt(offset, event, now, signal);
        if (step === undefined) return this.#giveUp({ offset, state: now });
        if (step.do === "deadLetter") now = step.state;
        else return this.#settle(offset, step, clock.wallMs());
      }
    } catch (err) {
      if (signal.aborted) return this.#giveUp({ offset, state });
      this.#options.logger.error("a delivery failed in the platform itself and is tried again", { offset, err });
      cursor.retry(offset, { attempt: state.attempts, dueMs: clock.wallMs() + 1_000 });
    } finally {
      this.#runningBytes -= bytes;
      underWay.give({ bytes });
    }
  }

  async #read(offset: number): Promise<StoredEvent | undefined> {
    const record = await this.#options.log.read(offset);
    if (record !== undefined) return decodeStored(record.value);
    this.#options.logger.warn("an event was dropped from the log before it was delivered", { offset });
    return undefined;
  }

  #settle(offset: number, step: Exclude<DeliveryStep, { readonly do: "deadLetter" }>, wallMs: number): void {
    const { cursor } = this.#options;
    if (step.do === "finish") return this.#left(offset, () => cursor.finish(offset));
    const attempt = numberOf(step.state);
    if (step.do === "park") return this.#left(offset, () => cursor.park(offset, attempt));
    if (step.state.error !== undefined) this.#errors.set(offset, step.state.error);
    cursor.retry(offset, { attempt, dueMs: wallMs + step.afterMs });
  }

  /** Whoever opens the cursor next begins with it. */
  #giveUp({ offset, state }: Run): void {
    this.#options.cursor.retry(offset, { attempt: numberOf(state), dueMs: this.#options.clock.wallMs() });
  }

  /** It holds nobody up any more. */
  #left(offset: number, settle: () => void): void {
    settle();
    this.#errors.delete(offset);
    const next = this.#lanes.leave(offset);
    const run = next === undefined ? undefined : this.#held.get(next);
    if (run === undefined) return;
    this.#held.delete(run.offset);
    this.#begin(run);
  }

  /** Undefined: it was given up because the thread ends. */
  async #attempt(offset: number, event: StoredEvent, state: DeliveryState, signal: AbortSignal): Promise<DeliveryStep | undefined> {
    const { sender, takeReply, clock } = this.#options;
    const subscriber = this.#subscriber;
    const atMs = clock.wallMs();
    const beganMs = clock.monotonicMs();
    const outgoing = outgoingFor(subscriber, event, state.error);
    const sent: Sent =
      outgoing === undefined
        ? { result: { is: "failure", why: "there is nobody to send to" }, headers: {}, body: new Uint8Array() }
        : await sender.send(outgoing, signal);
    if (signal.aborted) return undefined;
    const tookMs = clock.monotonicMs() - beganMs;
    const reply = state.error === undefined && isAccepted(sent.result) ? await takeReply(subscriber, { stored: event, offset }, sent) : undefined;
    const attempt: Attempt = { result: sent.result, body: sent.body, ...(reply === undefined ? {} : { reply: reply.result }) };
    const step = planStep(subscriber, state, attempt, clock.wallMs());
    const note: AttemptNote = {
      stream: subscriber.stream,
      subscriber: subscriber.id,
      offset,
      leg: state.error === undefined ? "subscriber" : "deadLetter",
      attempt: state.attempts + 1,
      atMs,
      tookMs,
      ...(sent.result.is === "answer" ? { status: sent.result.status } : { why: sent.result.why }),
      next: nextOf(step),
      ...(reply?.offset === undefined ? {} : { reply: reply.offset }),
    };
    this.#options.note(note, event);
    return step;
  }
}

function ofItsOwn(event: StoredEvent): StoredEvent {
  const { data } = event;
  return data === undefined || data.octets.length > OWN_BYTES_MAX ? event : { ...event, data: { ...data, octets: Uint8Array.from(data.octets) } };
}

/** As the log keeps it. */
function numberOf({ attempts, error }: DeliveryState): number {
  return attempts + (error === undefined ? 0 : DEAD_LETTER_LEG);
}

function nextOf(step: DeliveryStep): AttemptNote["next"] {
  return step.do === "finish" ? step.outcome : step.do;
}
