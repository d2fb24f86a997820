// All streams and subscribers of this thread, kept as the control thread says: batches are put into force one after the other.
import { assert, type Clock, type Logger } from "#core";
import type { EventsDelta, EventSelection, EventStream, EventSubscriber } from "#protocol";
import { takeReply } from "./delivery/replies.ts";
import type { Sender } from "./delivery/send.ts";
import { Subscription, type Selects } from "./delivery/subscription.ts";
import { UnderWay } from "./delivery/under-way.ts";
import { encodeNote } from "./history/attempt-notes.ts";
import type { NodeView } from "./history/view.ts";
import type { Attributes } from "./hops.ts";
import type { Place } from "./ingress/first-look.ts";
import { Intakes } from "./ingress/intakes.ts";
import type { Intake } from "./ingress/take-events.ts";
import type { EventEar } from "./observe/event-meters.ts";
import type { EventLog, NoteAttempt, StreamLog } from "./port.ts";
import type { Sightings } from "./sightings.ts";

export interface EventsNodeOptions {
  readonly log: EventLog;
  readonly sender: Sender;
  readonly compile: (selection: EventSelection) => Selects;
  /** Before `/NAMESPACE/NAME`: the address of Brokers. */
  readonly brokersUrl: string;
  /** Hears of every attempt, beside the log, which keeps it. */
  readonly note?: NoteAttempt;
  /** Measures. */
  readonly ear?: EventEar;
  readonly sightings: Pick<Sightings, "saw">;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenStream {
  readonly is: EventStream;
  readonly log: StreamLog;
  readonly intake: Intake;
}

interface Running {
  is: EventSubscriber;
  readonly subscription: Subscription;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class EventsNode {
  readonly #options: EventsNodeOptions;
  readonly #streams = new Map<string, OpenStream>();
  /** By `KIND namespace/name`. */
  readonly #named = new Map<string, OpenStream>();
  /** Channels by their names in the cluster. */
  readonly #hosts = new Map<string, OpenStream>();
  readonly #subscribers = new Map<string, Running>();
  readonly #underWay = new UnderWay();
  readonly #intakes: Intakes;
  /** The last of the batches that were given. */
  #applied: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: EventsNodeOptions) {
    this.#options = options;
    this.#intakes = new Intakes(options);
  }

  /** Who takes events there now. */
  intakeAt(place: Place): Intake | undefined {
    return this.#at(place)?.intake;
  }

  /** An event was taken there. */
  saw(place: Place, attributes: Attributes): void {
    const stream = this.#at(place)?.is;
    if (stream !== undefined) this.#options.sightings.saw({ at: stream.kind, namespace: stream.namespace, name: stream.name }, attributes);
  }

  #at(place: Place): OpenStream | undefined {
    return "host" in place ? this.#hosts.get(place.host) : this.#named.get(keyOf(place));
  }

  /** Resolves once the batch is in force: its streams take events, and what they take from now on reaches its subscribers. */
  apply(delta: EventsDelta): Promise<void> {
    this.#applied = this.#applied.then(() => (this.#ended ? undefined : this.#apply(delta)));
    return this.#applied;
  }

  /** An event that waits or is parked is tried now. */
  resume(subscriber: string, offset: number): boolean {
    return this.#subscribers.get(subscriber)?.subscription.resume(offset) ?? false;
  }

  /** What is there just now, for those who ask what has happened to events. */
  get view(): NodeView {
    return {
      streams: [...this.#streams.values()],
      subscribers: [...this.#subscribers.values()].map(({ is, subscription }) => ({ is, ...subscription.view })),
      resume: (subscriber, offset) => this.resume(subscriber, offset),
      takeReply: (answered) => takeReply(this.#replies, answered),
    };
  }

  /** Nothing is delivered any more; what was under way will be again. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#applied.catch(() => undefined);
    for (const id of this.#streams.keys()) this.#intakes.remove(id);
    await Promise.all([...this.#subscribers.keys()].map((id) => this.#stop(id)));
  }

  async #apply(delta: EventsDelta): Promise<void> {
    const { streams, subscribers } = delta;
    for (const id of delta.subscribersRemoved) await this.#removeSubscriber(id);
    for (const id of delta.streamsRemoved) await this.#removeStream(id);
    if (delta.reset) await this.#forgetOthers(streams, subscribers);
    // All of them in few groups of the log.
    await Promise.all(streams.map((stream) => this.#putStream(stream)));
    await Promise.all(subscribers.map((subscriber) => this.#putSubscriber(subscriber)));
  }

  /** What the log knows from before and nobody else any more. */
  async #forgetOthers(streams: readonly EventStream[], subscribers: readonly EventSubscriber[]): Promise<void> {
    const { log } = this.#options;
    const kept = new Set(subscribers.map(({ id }) => id));
    const keptStreams = new Set(streams.map(({ id }) => id));
    for (const id of [...this.#subscribers.keys()]) if (!kept.has(id)) await this.#removeSubscriber(id);
    for (const id of [...this.#streams.keys()]) if (!keptStreams.has(id)) await this.#removeStream(id);
    for (const name of log.streams) {
      if (!keptStreams.has(name)) await log.removeStream(name);
      else {
        const stream = await log.stream(name);
        for (const cursor of stream.cursors) if (!kept.has(cursor)) await stream.removeCursor(cursor);
      }
    }
  }

  async #putStream(is: EventStream): Promise<void> {
    const log = await this.#options.log.stream(is.id, { atLimit: is.atLimit ?? "refuse" });
    const kept = this.#streams.get(is.id)?.log ?? log;
    const opened = { is, log: kept, intake: this.#intakes.of(is, kept) };
    this.#streams.set(is.id, opened);
    this.#named.set(keyOf(is), opened);
    if (is.host !== undefined) this.#hosts.set(is.host, opened);
  }

  async #removeStream(id: string): Promise<void> {
    for (const [subscriber, { is }] of this.#subscribers) if (is.stream === id) await this.#stop(subscriber);
    const stream = this.#streams.get(id)?.is;
    this.#streams.delete(id);
    this.#intakes.remove(id);
    if (stream !== undefined) {
      // One of the same name may have come meanwhile.
      const { host = "" } = stream;
      if (this.#named.get(keyOf(stream))?.is.id === id) this.#named.delete(keyOf(stream));
      if (this.#hosts.get(host)?.is.id === id) this.#hosts.delete(host);
    }
    await this.#options.log.removeStream(id);
  }

  async #putSubscriber(is: EventSubscriber): Promise<void> {
    const known = this.#subscribers.get(is.id);
    const selects = this.#options.compile(is.selection);
    // Another order makes other lanes: what is open goes through them anew.
    if (known !== undefined && known.is.order === is.order) {
      known.is = is;
      return known.subscription.update(is, selects);
    }
    if (known !== undefined) await this.#stop(is.id);
    const stream = this.#streams.get(is.stream)?.log;
    if (stream === undefined) return this.#options.logger.warn("a subscriber's stream is not there", { subscriber: is.id, stream: is.stream });
    // One that has never been reachable gets what comes once it is.
    if (is.target === undefined && !stream.cursors.includes(is.id)) return;
    this.#start(is, selects, { stream, cursor: await stream.cursor(is.id, "end") });
  }

  #start(is: EventSubscriber, selects: Selects, at: { readonly stream: StreamLog; readonly cursor: Awaited<ReturnType<StreamLog["cursor"]>> }): void {
    const { log, sender, clock, logger } = this.#options;
    const stop = new AbortController();
    const subscription = new Subscription({
      subscriber: is,
      selects,
      log,
      ...at,
      sender,
      underWay: this.#underWay,
      takeReply: (subscriber, { stored, offset }, sent) => takeReply(this.#replies, { subscriber, event: stored, offset, sent, signal: stop.signal }),
      note: this.#note,
      clock,
      logger: logger.with({ subscriber: `${is.namespace}/${is.name}` }),
    });
    const done = subscription.run(stop.signal).catch((err: unknown) => logger.error("deliveries to a subscriber have ended", { subscriber: is.id, err }));
    this.#subscribers.set(is.id, { is, subscription, stop, done });
  }

  readonly #note: NoteAttempt = (note, event) => {
    const stream = this.#streams.get(note.stream);
    const subscriber = this.#subscribers.get(note.subscriber)?.is;
    stream?.log.note(note.offset, encodeNote(note));
    this.#options.note?.(note, event);
    if (stream !== undefined && subscriber !== undefined) this.#options.ear?.attempted({ stream: stream.is, subscriber }, note, event.attributes);
  };

  get #replies(): Parameters<typeof takeReply>[0] {
    const { sender, sightings, clock, brokersUrl } = this.#options;
    const intakeOf: Parameters<typeof takeReply>[0]["intakeOf"] = (id) => {
      const stream = this.#streams.get(id);
      return stream === undefined ? undefined : { intake: stream.intake, address: `${brokersUrl}/${stream.is.namespace}/${stream.is.name}` };
    };
    const saw: Parameters<typeof takeReply>[0]["saw"] = ({ stream, namespace, name }, { attributes }) => {
      const at = this.#streams.get(stream)?.is.kind === "Channel" ? "Subscription" : "Trigger";
      sightings.saw({ at, namespace, name }, attributes);
    };
    return { sender, clock, intakeOf, saw };
  }

  async #removeSubscriber(id: string): Promise<void> {
    const stream = this.#subscribers.get(id)?.is.stream;
    await this.#stop(id);
    for (const { log, is } of this.#streams.values()) if (stream === undefined || is.id === stream) await log.removeCursor(id);
  }

  async #stop(id: string): Promise<void> {
    const running = this.#subscribers.get(id);
    if (running === undefined) return;
    running.stop.abort();
    await running.done;
    assert(this.#subscribers.delete(id), "a subscriber is stopped once");
  }
}

function keyOf({ kind, namespace, name }: Pick<EventStream, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}
