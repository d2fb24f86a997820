// Finds events of the log: by place, attributes and time, in all streams that fit.
import { StatusError } from "#core";
import type { EventChoice, EventQuery, EventStream } from "#protocol";
import { KEY_CHARACTERS_MAX } from "../ingress/keys.ts";
import { canonical } from "../cloudevents/event.ts";
import type { EventLog, FoundRecord, RecordSearch } from "../port.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";
import type { StreamView } from "./view.ts";

export interface Found {
  readonly record: FoundRecord;
  readonly stream: StreamView;
  readonly stored: StoredEvent;
}

const ATTRIBUTES = ["type", "source", "id", "subject"] as const;

export function streamFits({ kind, namespace, name }: Pick<EventStream, "kind" | "namespace" | "name">, query: EventQuery): boolean {
  return (query.kind ?? kind) === kind && (query.namespace ?? namespace) === namespace && (query.name ?? name) === name;
}

/** Long values are found by their beginning; the rest is compared. */
export function eventFits({ attributes }: StoredEvent, query: EventQuery): boolean {
  return ATTRIBUTES.every((name) => {
    const wanted = query[name];
    if (wanted === undefined) return true;
    const value = attributes.get(name);
    return value !== undefined && canonical(value) === wanted;
  });
}

export function timeFits(timeMs: number, { sinceMs = -Infinity, untilMs = Infinity }: EventQuery): boolean {
  return timeMs >= sinceMs && timeMs < untilMs;
}

function searchFor(query: EventQuery): Omit<RecordSearch, "limit"> {
  const keys = ATTRIBUTES.flatMap((name) => (query[name] === undefined ? [] : [`${name}=${query[name].slice(0, KEY_CHARACTERS_MAX)}`]));
  return {
    ...(query.sinceMs === undefined ? {} : { fromMs: query.sinceMs }),
    ...(query.untilMs === undefined ? {} : { beforeMs: query.untilMs }),
    ...(keys.length === 0 ? {} : { keys }),
  };
}

/** A page over all streams in one order; `at` of the next page, undefined when there is none. */
export async function findPage(
  streams: readonly StreamView[],
  query: EventQuery,
  page: { readonly first: "oldest" | "newest"; readonly limit: number; readonly at?: number },
  signal: AbortSignal,
): Promise<FoundPage> {
  const { first, limit, at } = page;
  const found: Found[] = [];
  // A page that is full of octets says nothing of what lies behind it, in other streams neither.
  const ends: number[] = [];
  for (const stream of streams.filter(({ is }) => streamFits(is, query))) {
    const result = await stream.log.search({ ...searchFor(query), first, limit, ...(at === undefined ? {} : { at }) }, signal);
    if (result.next !== undefined) ends.push(result.next);
    for (const record of result.found) {
      const stored = decodeStored(record.value);
      if (eventFits(stored, query)) found.push({ record, stream, stored });
    }
  }
  return first === "oldest" ? oldestOf(found, limit, ends) : newestOf(found, limit, ends);
}

interface FoundPage {
  readonly found: readonly Found[];
  readonly next: number | undefined;
}

function oldestOf(found: readonly Found[], limit: number, ends: readonly number[]): FoundPage {
  const end = Math.min(...ends);
  const whole = found.filter(({ record }) => record.offset < end).sort((a, b) => a.record.offset - b.record.offset);
  const shown = whole.slice(0, limit);
  const next = whole.length > limit ? shown.at(-1)?.record.end : end;
  return { found: shown, next: next === Infinity ? undefined : next };
}

function newestOf(found: readonly Found[], limit: number, ends: readonly number[]): FoundPage {
  const end = Math.max(...ends);
  const whole = found.filter(({ record }) => record.offset >= end).sort((a, b) => b.record.offset - a.record.offset);
  const shown = whole.slice(0, limit);
  const next = whole.length > limit ? shown.at(-1)?.record.offset : end;
  return { found: shown, next: next === -Infinity ? undefined : next };
}

/** Undefined: it is not there, or of a stream that is no more. */
export async function findAt(log: Pick<EventLog, "read">, streams: readonly StreamView[], offset: number): Promise<Found | undefined> {
  const record = await log.read(offset);
  const stream = streams.find(({ is }) => is.id === record?.stream);
  return record === undefined || stream === undefined ? undefined : { record, stream, stored: decodeStored(record.value) };
}

/** Throws a StatusError when there is no such event. */
export async function findChosen(log: Pick<EventLog, "read">, streams: readonly StreamView[], choice: EventChoice, signal: AbortSignal): Promise<Found> {
  if ("offset" in choice) {
    const found = await findAt(log, streams, choice.offset);
    if (found === undefined) throw new StatusError("NotFound", `no event is at offset ${choice.offset} of the log: it was never there, or is kept no longer`);
    return found;
  }
  const { found } = await findPage(streams, choice, { first: "newest", limit: 1 }, signal);
  const [newest] = found;
  if (newest === undefined) throw new StatusError("NotFound", `the log has no event with id ${JSON.stringify(choice.id)} that fits`);
  return newest;
}
