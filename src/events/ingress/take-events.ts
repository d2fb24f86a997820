// An event becomes a record: trace, arrival, hops, then the log. The answer is decided by what the log says.
import type { Clock } from "#core";
import { LogError } from "#log";
import type { Headers } from "../cloudevents/http-message.ts";
import { admitted, type Attributes } from "../hops.ts";
import type { Taking } from "../observe/event-tracer.ts";
import { withTrace } from "../pass-headers.ts";
import type { StreamLog } from "../port.ts";
import { encodeStored, type StoredEvent } from "../stored-event.ts";
import { identityOf } from "./identity.ts";
import { keysOf } from "./keys.ts";
import type { RecentEvents } from "./recent-events.ts";

const TAKEN = 202;
const NO_HOPS = 400;

type Appended = Parameters<StreamLog["append"]>[0];

/** A Broker or a channel as it takes events. */
export interface Intake {
  readonly stream: Pick<StreamLog, "append" | "appendAll">;
  /** Whether events are marked with their arrival and their hops are counted: at Brokers. A channel passes on what it got. */
  readonly hops: boolean;
  /** Present: what came lately is acknowledged and not stored again. */
  readonly recent?: RecentEvents;
  /** Hears how it went; must not throw, and not wait. */
  readonly heard?: (events: readonly Attributes[], how: Intaken) => void;
  /** Traces; the same holds for it. */
  readonly traces?: {
    /** Undefined: none of them is sampled. */
    readonly taking: (events: readonly StoredEvent[], request: Headers | undefined) => Taking | undefined;
    readonly taken: (taking: Taking, how: Intaken) => void;
  };
}

interface Offered {
  readonly events: readonly StoredEvent[];
  /** The offset of the event that they answer. */
  readonly origin?: number;
  /** The headers of the request that brings them; answers come without one. */
  readonly request?: Headers;
}

/** What became of events that were to be taken together. */
export interface Intaken {
  /** What their producer is told. */
  readonly status: number;
  /** Why they were not taken. */
  readonly refused?: string;
  /** Events that were there already. */
  readonly duplicates: number;
  readonly tookMs: number;
}

export type Taken = { readonly offsets: readonly number[]; readonly duplicates: number } | { readonly refused: "noHops" };

/** Resolves once all are on the disk, rejects with the log's refusal; none or all of a batch are taken. */
export async function takeEvents(intake: Intake, { events: offered, origin, request }: Offered, clock: Clock): Promise<Taken> {
  const { heard, traces } = intake;
  const taking = traces?.taking(offered, request);
  const events = taking?.events ?? offered;
  if (heard === undefined && taking === undefined) return take(intake, { events, origin }, clock);
  const beganMs = clock.monotonicMs();
  const hear = (went: Omit<Intaken, "tookMs">): void => {
    const how = { ...went, tookMs: clock.monotonicMs() - beganMs };
    heard?.(
      events.map(({ attributes }) => attributes),
      how,
    );
    if (taking !== undefined) traces?.taken(taking, how);
  };
  try {
    const taken = await take(intake, { events, origin }, clock);
    if ("refused" in taken) hear({ status: NO_HOPS, refused: taken.refused, duplicates: 0 });
    else hear({ status: TAKEN, duplicates: taken.duplicates });
    return taken;
  } catch (error) {
    if (error instanceof LogError) hear({ status: statusOf(error), refused: error.reason, duplicates: 0 });
    throw error;
  }
}

async function take(
  { stream, hops, recent }: Intake,
  { events, origin }: { readonly events: readonly StoredEvent[]; readonly origin: number | undefined },
  clock: Clock,
): Promise<Taken> {
  if (recent?.ready !== undefined) await recent.ready;
  const wallMs = clock.wallMs();
  const arrival = new Date(wallMs).toISOString();
  const records: Appended[] = [];
  for (const event of events) {
    const attributes = hops ? admitted(event.attributes, arrival) : event.attributes;
    if (attributes === undefined) return { refused: "noHops" };
    records.push({ keys: keysOf(attributes, origin), value: encodeStored({ ...event, attributes }) });
  }
  if (recent === undefined) return { offsets: await append(stream, records), duplicates: 0 };
  const identities = events.map(({ attributes }) => identityOf(attributes));
  return recent.take(identities, wallMs, (fresh) =>
    append(
      stream,
      fresh.map((index) => records[index] as Appended),
    ),
  );
}

async function append(stream: Intake["stream"], records: readonly Appended[]): Promise<readonly number[]> {
  const [only] = records;
  return only !== undefined && records.length === 1 ? [await stream.append(only)] : stream.appendAll(records);
}

/** What the log's refusal means to a producer: 413 never again, 429 and 503 later. */
export function statusOf({ reason }: LogError): 413 | 429 | 503 {
  if (reason === "tooLarge") return 413;
  return reason === "overloaded" ? 429 : 503;
}

/** The request's part of an event: the trace it belongs to. */
export function fromRequest(event: StoredEvent, headers: Headers): StoredEvent {
  return { ...event, attributes: withTrace(event.attributes, headers) };
}
