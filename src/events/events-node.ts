// All streams and subscribers of this thread, kept as the control thread says: batches are put into force one after the other.
import type { Clock, Logger } from "#core";
import type { EventsDelta, EventStream, EventSubscriber } from "#protocol";
import { takeReply } from "./delivery/replies.ts";
import type { Sender } from "./delivery/send.ts";
import { CatchUps } from "./delivery/catch-ups.ts";
import { Feed } from "./delivery/feed.ts";
import { Subscription, type DeliveryParts } from "./delivery/subscription.ts";
import { UnderWay } from "./delivery/under-way.ts";
import { encodeNote } from "./history/attempt-notes.ts";
import type { NodeView } from "./history/view.ts";
import { matcherFor } from "./filters/matcher.ts";
import type { Attributes } from "./hops.ts";
import type { Place } from "./ingress/first-look.ts";
import { Intakes } from "./ingress/intakes.ts";
import type { Intake } from "./ingress/take-events.ts";
import type { EventEar } from "./observe/event-meters.ts";
import type { EventTracer } from "./observe/event-tracer.ts";
import type { EventLog, NoteAttempt, StreamLog } from "./port.ts";
import type { Sightings } from "./sightings.ts";

export interface EventsNodeOptions {
  readonly log: EventLog;
  readonly sender: Sender;
  /** Before `/NAMESPACE/NAME`: the address of Brokers. */
  readonly brokersUrl: string;
  /** Hears of every attempt, beside the log, which keeps it. */
  readonly note?: NoteAttempt;
  /** Measures. */
  readonly ear?: EventEar;
  readonly tracer?: EventTracer;
  readonly sightings: Pick<Sightings, "saw">;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenStream {
  readonly is: EventStream;
  readonly log: StreamLog;
  readonly intake: Intake;
  /** Reads for its subscribers while there are any. */
  readonly feed: Feed;
}

interface Running {
  is: EventSubscriber;
  readonly subscription: Subscription;
}

export class EventsNode {
  readonly #options: EventsNodeOptions;
  readonly #streams = new Map<string, OpenStream>();
  /** By `KIND namespace/name`. */
  readonly #named = new Map<string, OpenStream>();
  /** Channels by their names in the cluster. */
  readonly #hosts = new Map<string, OpenStream>();
  readonly #subscribers = new Map<string, Running>();
  readonly #parts: DeliveryParts;
  readonly #intakes: Intakes;
  /** The last of the batches that were given. */
  #applied: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: EventsNodeOptions) {
    this.#options = options;
    this.#intakes = new Intakes(options);
    const { log, sender, tracer, clock, logger } = options;
    this.#parts = {
      log,
      sender,
      underWay: new UnderWay(),
      catchUps: new CatchUps(),
      takeReply: (answered) => takeReply(this.#replies, answered),
      note: this.#note,
      tracer,
      clock,
      logger,
    };
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
    const subscribers = this.#subscribers;
    return {
      streams: [...this.#streams.values()],
      get subscribers() {
        return [...subscribers.values()].map(({ is, subscription }) => ({ is, ...subscription.view }));
      },
      subscriberOf: (id) => subscribers.get(id)?.is,
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
    // All of them in few groups of the log.
    await Promise.all(delta.subscribersRemoved.map((id) => this.#removeSubscriber(id)));
    await Promise.all(delta.streamsRemoved.map((id) => this.#removeStream(id)));
    if (delta.reset) await this.#forgetOthers(streams, subscribers);
    await Promise.all(streams.map((stream) => this.#putStream(stream)));
    await Promise.all(subscribers.map((subscriber) => this.#putSubscriber(subscriber)));
    for (const { feed } of this.#streams.values()) feed.begin();
  }

  /** What the log knows from before and nobody else any more. */
  async #forgetOthers(streams: readonly EventStream[], subscribers: readonly EventSubscriber[]): Promise<void> {
    const { log } = this.#options;
    const kept = new Set(subscribers.map(({ id }) => id));
    const keptStreams = new Set(streams.map(({ id }) => id));
    await Promise.all([...this.#subscribers.keys()].filter((id) => !kept.has(id)).map((id) => this.#removeSubscriber(id)));
    await Promise.all([...this.#streams.keys()].filter((id) => !keptStreams.has(id)).map((id) => this.#removeStream(id)));
    for (const name of log.streams) {
      if (!keptStreams.has(name)) await log.removeStream(name);
      else {
        const stream = await log.stream(name);
        await Promise.all(stream.cursors.filter((cursor) => !kept.has(cursor)).map((cursor) => stream.removeCursor(cursor)));
      }
    }
  }

  async #putStream(is: EventStream): Promise<void> {
    const log = await this.#options.log.stream(is.id, { atLimit: is.atLimit ?? "refuse" });
    const { clock, logger } = this.#options;
    const known = this.#streams.get(is.id);
    const kept = known?.log ?? log;
    const feed = known?.feed ?? new Feed({ stream: kept, clock, logger: logger.with({ stream: `${is.namespace}/${is.name}` }) });
    const opened = { is, log: kept, intake: this.#intakes.of(is, kept), feed };
    this.#streams.set(is.id, opened);
    this.#named.set(keyOf(is), opened);
    if (is.host !== undefined) this.#hosts.set(is.host, opened);
  }

  async #removeStream(id: string): Promise<void> {
    const its = [...this.#subscribers.values()].filter(({ is }) => is.stream === id);
    await Promise.all(its.map(({ is }) => this.#stop(is.id)));
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
    const matcher = matcherFor(is.selection);
    // Another order makes other lanes: what is open goes through them anew.
    if (known !== undefined && known.is.order === is.order) {
      known.is = is;
      return known.subscription.update(is, matcher);
    }
    if (known !== undefined) await this.#stop(is.id);
    const stream = this.#streams.get(is.stream);
    if (stream === undefined) return this.#options.logger.warn("a subscriber's stream is not there", { subscriber: is.id, stream: is.stream });
    const { log, feed } = stream;
    // One that has never been reachable gets what comes once it is.
    if (is.target === undefined && !log.hasCursor(is.id)) return;
    const cursor = await log.cursor(is.id, "end");
    const subscription = new Subscription(this.#parts, { subscriber: is, matcher, stream: log, feed, cursor });
    this.#subscribers.set(is.id, { is, subscription });
    subscription.begin();
  }

  readonly #note: NoteAttempt = (note, event, trace) => {
    const stream = this.#streams.get(note.stream);
    const subscriber = this.#subscribers.get(note.subscriber)?.is;
    stream?.log.note(note.offset, encodeNote(note));
    this.#options.note?.(note, event);
    if (stream === undefined || subscriber === undefined) return;
    const { ear, tracer } = this.#options;
    const { attributes } = event;
    ear?.attempted({ stream: stream.is, subscriber }, note, attributes);
    if (trace !== undefined) tracer?.sent(trace, { stream: stream.is, subscriber }, { note, attributes });
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
    await running.subscription.end();
    this.#subscribers.delete(id);
  }
}

function keyOf({ kind, namespace, name }: Pick<EventStream, "kind" | "namespace" | "name">): string {
  return `${kind} ${namespace}/${name}`;
}
