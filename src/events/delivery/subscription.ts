// One subscriber's deliveries: takes what concerns it of its stream's feed, or reads at its own cursor while it is behind; sends, and does
// what the plan says follows. Knows no other subscriber. At rest it is some objects: no timer, no reader, no promise.
import type { Clock, Logger } from "#core";
import type { EventSubscriber } from "#protocol";
import type { AttemptNote, DeliveryCursor, EventLog, LogRecord, NoteAttempt, StreamLog } from "../port.ts";
import { canonical } from "../cloudevents/event.ts";
import type { Matcher } from "../filters/matcher.ts";
import { withContext, type EventTracer } from "../observe/event-tracer.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";
import type { CatchUps } from "./catch-ups.ts";
import { ofItsOwn, type Feed, type Follower } from "./feed.ts";
import { Lanes, type Lane } from "./lanes.ts";
import { outgoingFor } from "./outgoing.ts";
import { FRESH, planStep, type Attempt, type DeliveryState, type DeliveryStep, type ReplyResult } from "./plan.ts";
import type { Answered } from "./replies.ts";
import type { Sender, Sent } from "./send.ts";
import { isAccepted } from "./retry.ts";
import type { UnderWay, Waiting } from "./under-way.ts";

/** Takes the reply in an accepted answer; undefined: there is none, or nobody wants it. Never rejects. */
export type TakeReply = (answered: Answered) => Promise<{ readonly result: ReplyResult; readonly offset?: number } | undefined>;

/** What all subscribers share. */
export interface DeliveryParts {
  readonly log: Pick<EventLog, "read">;
  readonly sender: Sender;
  readonly underWay: UnderWay;
  readonly catchUps: CatchUps;
  readonly takeReply: TakeReply;
  readonly note: NoteAttempt;
  readonly tracer?: Pick<EventTracer, "sending"> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SubscriptionOptions {
  readonly subscriber: EventSubscriber;
  readonly matcher: Matcher;
  readonly stream: Pick<StreamLog, "reader">;
  readonly feed: Feed;
  readonly cursor: DeliveryCursor;
}

/** Requests under way of one subscriber. */
const RUNNING_MAX = 64;
/** Whoever is behind reads on when so many more may run, or nothing does: not for each event anew. */
const READ_ON = 16;
/** Octets of events under way; one event may always go. */
const RUNNING_BYTES_MAX = 32 << 20;
/** Events that wait for others of their lane; beyond it nothing more is read. */
const HELD_MAX = { none: 0, key: 1_000, whole: 64 };
/** Attempts of the second leg are counted from here in the log, which keeps a number alone. */
const DEAD_LETTER_LEG = 1 << 20;
/** After the platform's own failure. */
const AGAIN_MS = 1_000;
const OVER = new Error("deliveries to the subscriber have ended");

interface Run {
  readonly offset: number;
  readonly state: DeliveryState;
}

/**
 * begins      restoring: the lanes of what is open; nothing is taken yet
 * following   the feed offers what concerns it. No room: it takes the event for later; in order, or with too much open: it falls behind
 * behind      a read at a time from its own place while there is room; at the feed's place it follows again
 */
type Standing = "begins" | "following" | "behind";

export class Subscription implements Follower, Waiting {
  readonly #parts: DeliveryParts;
  readonly #options: SubscriptionOptions;
  readonly #lanes = new Lanes();
  /** What waits for its turn. */
  readonly #held = new Map<number, Run>();
  readonly #running = new Map<number, Promise<void>>();
  /** Why what waits for the dead letter sink is dead. Lost with the process: then the subscriber is asked once more. */
  readonly #errors = new Map<number, DeliveryState["error"]>();
  /** Made with the first delivery. */
  #ending: AbortController | undefined;
  #isOver = false;
  #standing: Standing = "begins";
  /** A read of its own is under way; another one from the same place would find the same. */
  #reads = false;
  #runningBytes = 0;
  /** Of its open events, as all subscribers' are counted. */
  #counted = 0;
  #subscriber: EventSubscriber;
  #matcher: Matcher;
  /** For what is due at that time. */
  #alarm: { readonly dueMs: number; readonly off: AbortController } | undefined;

  constructor(parts: DeliveryParts, options: SubscriptionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#subscriber = options.subscriber;
    this.#matcher = options.matcher;
  }

  /** What is under way ends by the rules that it began with; the filter counts for what was not looked at. */
  update(subscriber: EventSubscriber, matcher: Matcher): void {
    this.#subscriber = subscriber;
    this.#matcher = matcher;
    this.#options.feed.set(subscriber.id, matcher, this);
    this.look();
  }

  /** How it stands just now, for those who ask. */
  get view(): { readonly selects: (event: StoredEvent) => boolean; readonly next: number; readonly open: ReturnType<DeliveryCursor["open"]> } {
    const { cursor } = this.#options;
    return { selects: ({ attributes }) => this.#matcher.matches(attributes), next: cursor.next, open: cursor.open() };
  }

  get next(): number {
    return this.#options.cursor.next;
  }

  /** A parked event, or one that waits, is tried now; false when it is neither. */
  resume(offset: number): boolean {
    const due = this.#options.cursor.resume(offset);
    if (due !== undefined) this.#begin(this.#fresh(due.offset, 0));
    return due !== undefined;
  }

  /** Delivers until `end`. In no order all is in force when it returns. */
  begin(): void {
    this.#count(this.#options.cursor.openCount);
    this.#options.feed.set(this.#subscriber.id, this.#matcher, this);
    if (this.#subscriber.order === "none") return this.#follow();
    void this.#restoreLanes().then(
      () => this.#follow(),
      (err: unknown) => this.#logger.error("deliveries to a subscriber have ended", { err }),
    );
  }

  #follow(): void {
    if (!this.#isOver) this.#options.feed.join(this);
  }

  /** Resolves once what was under way has been given up; it is delivered anew by whoever opens the cursor next. */
  async end(): Promise<void> {
    const { cursor, feed } = this.#options;
    const { underWay, catchUps } = this.#parts;
    this.#isOver = true;
    this.#ending?.abort(OVER);
    this.#alarm?.off.abort(OVER);
    feed.delete(this.#subscriber.id, this);
    cursor.unfollow();
    underWay.forget(this);
    catchUps.forget(this);
    await Promise.all(this.#running.values());
    for (const run of this.#held.values()) this.#giveUp(run);
    this.#count(0);
  }

  /** The log may have dropped some of its own accord. */
  #count(open: number): void {
    const more = open - this.#counted;
    this.#counted = open;
    if (more > 0) this.#parts.underWay.take({ records: more });
    if (more < 0) this.#parts.underWay.give({ records: -more });
  }

  get #signal(): AbortSignal {
    this.#ending ??= new AbortController();
    return this.#ending.signal;
  }

  get #logger(): Logger {
    const { namespace, name } = this.#subscriber;
    return this.#parts.logger.with({ subscriber: `${namespace}/${name}` });
  }

  follow(place: { readonly at: number }): void {
    this.#options.cursor.follow(place);
    this.#standing = "following";
    this.look();
  }

  fellBehind(): void {
    this.#options.cursor.unfollow();
    this.#standing = "behind";
    this.look();
  }

  offer(offset: number, event: StoredEvent): void {
    const { cursor } = this.#options;
    if (this.#standing === "behind") return this.#notice();
    if (this.#standing !== "following" || offset < cursor.next) return;
    if (this.#mayTake && this.#free > 0) return this.#take(offset, event);
    if (this.#subscriber.order === "none" && this.#mayTake) {
      cursor.defer(offset, this.#parts.clock.wallMs());
      this.#count(cursor.openCount);
      this.look();
    } else this.fellBehind();
  }

  /** What the log has dropped of its own accord leaves room, and nothing else tells of it. */
  #notice(): void {
    const { openCount } = this.#options.cursor;
    if (openCount >= this.#counted) return;
    this.#count(openCount);
    this.look();
  }

  /** How many more may be under way. */
  get #free(): number {
    const own = { requests: this.#running.size, bytes: this.#runningBytes };
    if (this.#subscriber.target === undefined || own.bytes >= RUNNING_BYTES_MAX || own.requests >= RUNNING_MAX) return 0;
    return Math.min(RUNNING_MAX - own.requests, this.#parts.underWay.roomFor(own));
  }

  /** One more event may be open. */
  get #mayTake(): boolean {
    const { cursor } = this.#options;
    const { order } = this.#subscriber;
    return !cursor.full && this.#parts.underWay.mayOpen(cursor.openCount) && (order === "none" || this.#held.size < HELD_MAX[order]);
  }

  get #mayReadOn(): boolean {
    const running = this.#running.size;
    const { order } = this.#subscriber;
    return this.#mayTake && this.#free > 0 && (running === 0 || running <= RUNNING_MAX - READ_ON) && this.#held.size <= HELD_MAX[order] / 2;
  }

  /** Something has changed: what is due goes, and who is behind reads on. Whether there was anything to do. */
  look(): boolean {
    if (this.#isOver || this.#standing === "begins") return false;
    const began = this.#beginDue();
    if (this.#standing === "behind" && !this.#reads && this.#mayReadOn) {
      this.#parts.catchUps.ask(this);
      return true;
    }
    this.#wait();
    return began;
  }

  #beginDue(): boolean {
    const { cursor } = this.#options;
    let began = false;
    for (;;) {
      const free = this.#free;
      const due = free > 0 ? cursor.takeDue(this.#parts.clock.wallMs(), free) : [];
      if (due.length === 0) return began;
      began = true;
      for (const { offset, attempt } of due) this.#begin(this.#fresh(offset, attempt));
    }
  }

  /** For what is due later; for room, where nothing of its own that ends makes some. */
  #wait(): void {
    const { clock, underWay } = this.#parts;
    const { nextDueMs = Infinity } = this.#options.cursor;
    const isDue = nextDueMs <= clock.wallMs();
    if (!isDue && nextDueMs < Infinity) this.#wakeAt(nextDueMs);
    if (this.#subscriber.target === undefined || this.#running.size > 0) return;
    if (this.#free === 0 && (isDue || this.#standing === "behind")) underWay.wait(this, "requests");
    else if (this.#standing === "behind" && !this.#mayTake) underWay.wait(this, "records");
  }

  #wakeAt(dueMs: number): void {
    if (this.#alarm !== undefined && this.#alarm.dueMs <= dueMs) return;
    const { clock } = this.#parts;
    this.#alarm?.off.abort(OVER);
    const alarm = { dueMs, off: new AbortController() };
    this.#alarm = alarm;
    const rang = (): void => {
      this.#alarm = undefined;
      this.look();
    };
    clock.sleep(Math.max(0, dueMs - clock.wallMs()), alarm.off.signal).then(rang, () => undefined);
  }

  /** What its read has, as far as there is room; what comes behind that is read again. */
  async catchUp(): Promise<void> {
    const { stream, feed, cursor } = this.#options;
    if (this.#isOver || this.#standing !== "behind" || !this.#mayReadOn) return void this.look();
    const reader = stream.reader(cursor.next);
    const before = this.#running.size;
    this.#reads = true;
    try {
      await reader.visit((record) => {
        if (this.#isOver || !this.#mayTake || this.#free === 0) return false;
        this.#look(record);
        return true;
      });
    } catch (err) {
      this.#logger.error("the event log cannot be read for a subscriber: it is tried again", { err });
      await this.#parts.clock.sleep(AGAIN_MS, this.#signal).catch(() => undefined);
    }
    this.#reads = false;
    if (this.#isOver) return;
    cursor.pass(reader.at);
    if (cursor.next >= feed.at) feed.join(this);
    else this.look();
    if (this.#running.size <= before) this.#parts.underWay.serve();
  }

  /** What is open from before: the oldest of a lane goes first again. */
  async #restoreLanes(): Promise<void> {
    const offsets = [...this.#options.cursor.open()].filter(({ dueMs }) => dueMs !== Infinity).map(({ offset }) => offset);
    for (const offset of offsets.sort((a, b) => a - b)) {
      const record = await this.#parts.log.read(offset);
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
    const { cursor } = this.#options;
    let event: StoredEvent;
    try {
      event = decodeStored(value);
    } catch (err) {
      this.#logger.error("an event of the log cannot be read and is passed over", { offset, err });
      return cursor.pass(end);
    }
    if (this.#matcher.matches(event.attributes)) this.#take(offset, ofItsOwn(event));
    cursor.pass(end);
  }

  #take(offset: number, event: StoredEvent): void {
    const { cursor } = this.#options;
    cursor.take(offset);
    this.#count(cursor.openCount);
    this.#lanes.enter(this.#laneOf(event), offset);
    this.#begin({ offset, state: FRESH }, event);
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
    const { underWay } = this.#parts;
    underWay.take({ requests: 1 });
    const done = this.#deliver(run, event).finally(() => {
      this.#running.delete(run.offset);
      underWay.give({ requests: 1 });
      this.look();
    });
    this.#running.set(run.offset, done);
  }

  async #deliver({ offset, state }: Run, known?: StoredEvent): Promise<void> {
    const { cursor } = this.#options;
    const { clock, underWay } = this.#parts;
    const signal = this.#signal;
    let bytes = 0;
    try {
      const event = known ?? (await this.#read(offset));
      if (event === undefined) return this.#left(offset, () => this.#finish(offset));
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
      this.#logger.error("a delivery failed in the platform itself and is tried again", { offset, err });
      cursor.retry(offset, { attempt: numberOf(state), dueMs: clock.wallMs() + AGAIN_MS });
    } finally {
      this.#runningBytes -= bytes;
      underWay.give({ bytes });
    }
  }

  async #read(offset: number): Promise<StoredEvent | undefined> {
    const record = await this.#parts.log.read(offset);
    if (record !== undefined) return decodeStored(record.value);
    this.#logger.warn("an event was dropped from the log before it was delivered", { offset });
    return undefined;
  }

  #settle(offset: number, step: Exclude<DeliveryStep, { readonly do: "deadLetter" }>, wallMs: number): void {
    const { cursor } = this.#options;
    if (step.do === "finish") return this.#left(offset, () => this.#finish(offset));
    const attempt = numberOf(step.state);
    if (step.do === "park") return this.#left(offset, () => cursor.park(offset, attempt));
    if (step.state.error !== undefined) this.#errors.set(offset, step.state.error);
    cursor.retry(offset, { attempt, dueMs: wallMs + step.afterMs });
  }

  #finish(offset: number): void {
    const { cursor } = this.#options;
    cursor.finish(offset);
    this.#count(cursor.openCount);
  }

  /** Whoever opens the cursor next begins with it. */
  #giveUp({ offset, state }: Run): void {
    this.#options.cursor.retry(offset, { attempt: numberOf(state), dueMs: this.#parts.clock.wallMs() });
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
  async #attempt(offset: number, stored: StoredEvent, state: DeliveryState, signal: AbortSignal): Promise<DeliveryStep | undefined> {
    const { sender, takeReply, clock, tracer } = this.#parts;
    const subscriber = this.#subscriber;
    const trace = tracer?.sending(stored);
    const event = withContext(stored, trace);
    const atMs = clock.wallMs();
    const beganMs = clock.monotonicMs();
    const outgoing = outgoingFor(subscriber, event, state.error);
    const sent: Sent =
      outgoing === undefined
        ? { result: { is: "failure", why: "there is nobody to send to" }, headers: {}, body: new Uint8Array() }
        : await sender.send(outgoing, signal);
    if (signal.aborted) return undefined;
    const tookMs = clock.monotonicMs() - beganMs;
    const reply = state.error === undefined && isAccepted(sent.result) ? await takeReply({ subscriber, event, offset, sent, signal }) : undefined;
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
    this.#parts.note(note, event, trace);
    return step;
  }
}

/** As the log keeps it. */
function numberOf({ attempts, error }: DeliveryState): number {
  return attempts + (error === undefined ? 0 : DEAD_LETTER_LEG);
}

function nextOf(step: DeliveryStep): AttemptNote["next"] {
  return step.do === "finish" ? step.outcome : step.do;
}
