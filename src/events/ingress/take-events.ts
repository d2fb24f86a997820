// An event becomes a record: trace, arrival, hops, then the log. The answer is decided by what the log says.
import type { Clock } from "#core";
import { LogError } from "#log";
import { canonical } from "../cloudevents/event.ts";
import { admitted, type Attributes } from "../hops.ts";
import { withTrace } from "../pass-headers.ts";
import type { StreamLog } from "../port.ts";
import { encodeStored, type StoredEvent } from "../stored-event.ts";

/** By what an event is found again. */
const KEYS = ["type", "source", "id", "subject"] as const;
/** Of one attribute in the index; longer ones are found by their beginning. */
export const KEY_CHARACTERS_MAX = 256;
const TAKEN = 202;
const NO_HOPS = 400;
/** Of an event that is a subscriber's answer: what follows is the offset of the event that it answers. */
export const ORIGIN_KEY = "origin=";

/** A Broker or a channel as it takes events. */
export interface Intake {
  readonly stream: Pick<StreamLog, "append" | "appendAll">;
  /** Whether events are marked with their arrival and their hops are counted: at Brokers. A channel passes on what it got. */
  readonly hops: boolean;
  /** Hears how it went; must not throw, and not wait. */
  readonly heard?: (events: readonly Attributes[], how: Intaken) => void;
}

/** What became of events that were to be taken together. */
export interface Intaken {
  /** What their producer is told. */
  readonly status: number;
  /** Why they were not taken. */
  readonly refused?: string;
  readonly tookMs: number;
}

export type Taken = { readonly offsets: readonly number[] } | { readonly refused: "noHops" };

/** Resolves once all are on the disk, rejects with the log's refusal; none or all of a batch are taken. `origin`: the offset of the event that they answer. */
export async function takeEvents(
  intake: Intake,
  { events, origin }: { readonly events: readonly StoredEvent[]; readonly origin?: number },
  clock: Clock,
): Promise<Taken> {
  const { heard } = intake;
  if (heard === undefined) return take(intake, { events, origin }, clock);
  const beganMs = clock.monotonicMs();
  const hear = (status: number, refused?: string): void =>
    heard(
      events.map(({ attributes }) => attributes),
      { status, tookMs: clock.monotonicMs() - beganMs, ...(refused === undefined ? {} : { refused }) },
    );
  try {
    const taken = await take(intake, { events, origin }, clock);
    if ("refused" in taken) hear(NO_HOPS, taken.refused);
    else hear(TAKEN);
    return taken;
  } catch (error) {
    if (error instanceof LogError) hear(statusOf(error), error.reason);
    throw error;
  }
}

async function take(
  { stream, hops }: Intake,
  { events, origin }: { readonly events: readonly StoredEvent[]; readonly origin: number | undefined },
  clock: Clock,
): Promise<Taken> {
  const wallMs = clock.wallMs();
  const records: { readonly keys: readonly string[]; readonly value: Uint8Array }[] = [];
  for (const event of events) {
    const attributes = hops ? admitted(event.attributes, wallMs) : event.attributes;
    if (attributes === undefined) return { refused: "noHops" };
    records.push({
      keys: origin === undefined ? keysOf(attributes) : [...keysOf(attributes), `${ORIGIN_KEY}${origin}`],
      value: encodeStored({ ...event, attributes }),
    });
  }
  const [only] = records;
  return { offsets: only !== undefined && records.length === 1 ? [await stream.append(only)] : await stream.appendAll(records) };
}

function keysOf(attributes: Attributes): string[] {
  return KEYS.flatMap((name) => (attributes.has(name) ? [`${name}=${canonical(attributes.get(name) ?? "").slice(0, KEY_CHARACTERS_MAX)}`] : []));
}

/** What the log's refusal means to a producer: 413 never again, 429 and 503 later. */
export function statusOf({ reason }: LogError): 413 | 429 | 503 {
  if (reason === "tooLarge") return 413;
  return reason === "overloaded" ? 429 : 503;
}

/** The request's part of an event: the trace it belongs to. */
export function fromRequest(event: StoredEvent, headers: Readonly<Record<string, string | undefined>>): StoredEvent {
  return { ...event, attributes: withTrace(event.attributes, headers) };
}
