// How one event stands with each subscriber of its stream: from attempts on record, the cursor, and the filter as it is now. Pure.
import type { AttemptDocument, DeliveryDocument, EventStanding, EventSubscriber } from "#protocol";
import type { StoredEvent } from "../stored-event.ts";
import type { SubscriberView } from "./view.ts";

type Due = number | undefined;

/**
 * in the cursor's open set   parked: parked · due: waiting · else in flight
 * behind the cursor's next   ahead (the filter of now decides: missed when it does not pass)
 * attempts on record         what the last one came to
 * none on record             missed when the filter of now says so, else unrecorded
 */
export function standingOf(
  offset: number,
  { next, open, matchesNow }: { readonly next: number; readonly open: ReadonlyMap<number, Due>; readonly matchesNow: boolean },
  attempts: readonly AttemptDocument[],
): EventStanding {
  if (open.has(offset)) {
    const due = open.get(offset);
    return due === undefined ? "inFlight" : due === Infinity ? "parked" : "waiting";
  }
  if (offset >= next) return matchesNow ? "ahead" : "missed";
  return outcomeOf(attempts) ?? (matchesNow ? "unrecorded" : "missed");
}

/** Undefined: no attempt says how it ended. A replay is somebody's wish and no delivery. */
function outcomeOf(attempts: readonly AttemptDocument[]): EventStanding | undefined {
  const last = attempts.findLast(({ leg }) => leg !== "replay")?.next;
  return last === "delivered" || last === "deadLettered" || last === "gaveUp" ? last : last === "park" ? "parked" : undefined;
}

/** Of all subscribers that are there, then of those that are no more and have attempts on record. */
export function deliveriesOf(
  event: { readonly offset: number; readonly stored: StoredEvent },
  subscribers: readonly SubscriberView[],
  attemptsOf: ReadonlyMap<string, readonly AttemptDocument[]>,
): DeliveryDocument[] {
  const { offset, stored } = event;
  const known = subscribers.map(({ is, selects, next, open: all }): DeliveryDocument => {
    const open = new Map([...all].map((one) => [one.offset, one.dueMs] as const));
    const attempts = attemptsOf.get(is.id) ?? [];
    const matchesNow = selects(stored);
    const standing = standingOf(offset, { next, open, matchesNow }, attempts);
    const due = open.get(offset);
    const waits = standing === "waiting" && due !== undefined ? { due: new Date(due).toISOString() } : {};
    return { subscriber: subscriberDocument(is), matchesNow, standing, ...waits, attempts };
  });
  const here = new Set(subscribers.map(({ is }) => is.id));
  const gone = [...attemptsOf].filter(([id]) => !here.has(id));
  return [
    ...known.sort((a, b) => order(a.subscriber, b.subscriber)),
    ...gone.map(([id, attempts]): DeliveryDocument => ({ subscriber: goneDocument(id), standing: outcomeOf(attempts) ?? "replayed", attempts })),
  ];
}

/** Replays to a mere URL are kept under it. */
function goneDocument(id: string): DeliveryDocument["subscriber"] {
  return { id, namespace: "", name: "", ...(URL.canParse(id) ? { url: id } : {}) };
}

export function subscriberDocument({ id, namespace, name, target, deadLetter }: EventSubscriber): DeliveryDocument["subscriber"] {
  return { id, namespace, name, ...(target === undefined ? {} : { url: target.url }), ...(deadLetter === undefined ? {} : { deadLetterUrl: deadLetter.url }) };
}

function order(a: DeliveryDocument["subscriber"], b: DeliveryDocument["subscriber"]): number {
  return a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name);
}

export function standingsOf(deliveries: readonly DeliveryDocument[]): Partial<Record<EventStanding, number>> {
  const counts: Partial<Record<EventStanding, number>> = {};
  for (const { standing } of deliveries) counts[standing] = (counts[standing] ?? 0) + 1;
  return counts;
}
