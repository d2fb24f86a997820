// An event becomes a record: trace, arrival, hops, then the log. The answer is decided by what the log says.
import type { Clock } from "#core";
import { canonical } from "../cloudevents/event.ts";
import { admitted, type Attributes } from "../hops.ts";
import { withTrace } from "../pass-headers.ts";
import type { StreamLog } from "../port.ts";
import { encodeStored, type StoredEvent } from "../stored-event.ts";

/** By what an event is found again. */
const KEYS = ["type", "source", "id", "subject"] as const;
/** Of one attribute in the index; longer ones are found by their beginning. */
export const KEY_CHARACTERS_MAX = 256;
/** Of an event that is a subscriber's answer: what follows is the offset of the event that it answers. */
export const ORIGIN_KEY = "origin=";

interface Destination {
  readonly stream: StreamLog;
  /** Whether events are marked with their arrival and their hops are counted: at Brokers. A channel passes on what it got. */
  readonly hops: boolean;
  /** The offset of the event that they answer. */
  readonly origin?: number;
}

export type Taken = { readonly offsets: readonly number[] } | { readonly refused: "noHops" };

/** Resolves once all are on the disk, rejects with the log's refusal; none or all of a batch are taken. */
export async function takeEvents({ stream, hops, origin }: Destination, events: readonly StoredEvent[], clock: Clock): Promise<Taken> {
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

/** The request's part of an event: the trace it belongs to. */
export function fromRequest(event: StoredEvent, headers: Readonly<Record<string, string | undefined>>): StoredEvent {
  return { ...event, attributes: withTrace(event.attributes, headers) };
}
