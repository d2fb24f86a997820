// Events that came by, as the events thread tells of them, become EventTypes (feature `eventtype-auto-create`, eventing.md 7.1).
import type { Client } from "#client";
import { backoffMs, isReason, Parking, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import { EventType, seenEventTypeName } from "#kinds";
import { apiVersionOf, type Draft, type Kind, type KubeObject } from "#schema";

/** An event of a type and a source that was not seen lately. */
export interface SeenEvent {
  /** Where it came in: a Broker or a Channel; or whose subscriber answered with it. */
  readonly at: "Broker" | "Channel" | "Trigger" | "Subscription";
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly source: string;
  readonly specVersion: string;
  readonly schema?: string;
}

export interface SeenEventsOptions {
  readonly client: Client;
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** Those that wait to be looked at, or to be tried again; what is more comes again with a later event. */
const WAITING_MAX = 1_000;
/** Whoever tells of events does not tell of the same one for minutes: what could not be made is tried again for most of one. */
const RETRY: BackoffPolicy = { baseMs: 100, maxMs: 15_000, jitter: 0.2 };
const RETRIES_MAX = 9;
/** EventTypes of one object: sources that are as many as events would fill the store. */
const TYPES_MAX = 200;
/** So long an object that has as many is not looked at again. */
const FULL_MS = 60_000;
/** Objects that are known to be full. */
const FULL_MAX = 1_000;
const DESCRIPTION = "Event Type auto-created by controller";

/** Kinds of the objects that may be meant, the first one that is there counts. */
const KINDS: Readonly<Record<SeenEvent["at"], readonly string[]>> = {
  Broker: ["eventing.knative.dev/Broker"],
  Channel: ["messaging.knative.dev/InMemoryChannel", "messaging.knative.dev/Channel"],
  Trigger: ["eventing.knative.dev/Trigger"],
  Subscription: ["messaging.knative.dev/Subscription"],
};

export class SeenEvents {
  readonly #options: SeenEventsOptions;
  readonly #waiting: Waiting[] = [];
  /** Those that wait to be tried again. */
  #resting = 0;
  readonly #parking = new Parking();
  /** By object, when it may be looked at again. */
  readonly #full = new Map<string, number>();

  constructor(options: SeenEventsOptions) {
    this.#options = options;
  }

  put(seen: readonly SeenEvent[]): void {
    const room = Math.max(0, WAITING_MAX - this.#waiting.length - this.#resting);
    this.#waiting.push(...seen.slice(0, room).map((each) => ({ seen: each, failures: 0 })));
    this.#parking.leave();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) await this.#parking.stay(signal);
      else await this.#make(next.seen).catch((err: unknown) => this.#failed(next, err, signal));
    }
  }

  /** The others do not wait for it. */
  #failed({ seen, failures }: Waiting, err: unknown, signal: AbortSignal): void {
    const { clock, rng, logger } = this.#options;
    if (failures >= RETRIES_MAX) return logger.warn("an EventType could not be made", { ...seen, err });
    logger.debug("an EventType could not be made, it is tried again", { ...seen, err });
    this.#resting += 1;
    const again = (): void => {
      this.#waiting.push({ seen, failures: failures + 1 });
      this.#parking.leave();
    };
    void clock
      .sleep(backoffMs(RETRY, failures, rng), signal)
      .then(again, () => undefined)
      .finally(() => (this.#resting -= 1));
  }

  async #make(seen: SeenEvent): Promise<void> {
    const { client, clock, logger } = this.#options;
    const about = `${seen.at} ${seen.namespace}/${seen.name}`;
    if ((this.#full.get(about) ?? 0) > clock.monotonicMs()) return;
    const found = await this.#find(seen);
    if (found === undefined) return;
    const wanted = eventTypeFor(seen, found);
    if ((await client.find(EventType, seen.namespace, wanted.metadata.name ?? "")) !== undefined) return;
    const { items } = await client.list(EventType, { namespace: seen.namespace });
    if (items.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === found.object.metadata.uid)).length >= TYPES_MAX) {
      this.#remember(about);
      return logger.warn("an object has as many EventTypes as are made by themselves; others of its events get none", { object: about, max: TYPES_MAX });
    }
    await client.create(EventType, wanted).catch((error: unknown) => {
      if (!isReason(error, "AlreadyExists")) throw error;
    });
  }

  #remember(about: string): void {
    this.#full.delete(about);
    this.#full.set(about, this.#options.clock.monotonicMs() + FULL_MS);
    const [oldest] = this.#full.keys();
    if (this.#full.size > FULL_MAX && oldest !== undefined) this.#full.delete(oldest);
  }

  async #find({ at, namespace, name }: SeenEvent): Promise<Found | undefined> {
    const { client, kinds } = this.#options;
    for (const wanted of KINDS[at]) {
      const kind = kinds.find((one) => `${one.group}/${one.kind}` === wanted);
      const object = kind === undefined ? undefined : await client.find(kind, namespace, name);
      if (kind !== undefined && object !== undefined) return { kind, object };
    }
    return undefined;
  }
}

interface Waiting {
  readonly seen: SeenEvent;
  readonly failures: number;
}

interface Found {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** Goes with the object that it is about. */
export function eventTypeFor(seen: SeenEvent, { kind, object }: Found): Draft<EventType> {
  const { type, source, specVersion, schema, namespace, name } = seen;
  const refers = { apiVersion: apiVersionOf(kind), kind: kind.kind, name };
  const attribute = (named: string, value?: string): { name: string; required: boolean; value?: string } => ({
    name: named,
    required: true,
    ...(value === undefined || value === "" ? {} : { value }),
  });
  return {
    apiVersion: apiVersionOf(EventType),
    kind: EventType.kind,
    metadata: { name: seenEventTypeName({ type, source, namespace, name }), namespace, ownerReferences: [{ ...refers, uid: object.metadata.uid }] },
    spec: {
      description: DESCRIPTION,
      reference: { ...refers, namespace },
      attributes: [
        attribute("type", type),
        attribute("source", source),
        attribute("schemadata", schema),
        attribute("specversion", specVersion),
        attribute("id"),
      ],
    },
  } as Draft<EventType>;
}
