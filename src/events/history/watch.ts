// What happens from now on: events that come, and every attempt to deliver one.
import { Lines } from "#core";
import type { EventQuery, WatchLine } from "#protocol";
import type { AttemptNote, EventLog, NoteAttempt } from "../port.ts";
import { decodeStored } from "../stored-event.ts";
import { attemptDocument } from "./attempt-notes.ts";
import { subscriberDocument } from "./deliveries.ts";
import { loggedEvent } from "./event-document.ts";
import { eventFits, findAt, streamFits, timeFits } from "./find.ts";
import type { NodeView, StreamView } from "./view.ts";

/** That wait for the reader. */
const LINES_MAX = 1_000;

export interface WatchOptions {
  readonly log: Pick<EventLog, "read">;
  readonly view: () => NodeView;
  /** Hears of attempts until it is called off. */
  readonly listen: (note: NoteAttempt) => () => void;
}

/** Of the Brokers and Channels that are there when it begins. Throws when its reader is too slow. */
export async function* watchEvents(options: WatchOptions, query: EventQuery, signal: AbortSignal): AsyncGenerator<WatchLine> {
  const lines = new Lines<WatchLine>(LINES_MAX);
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const streams = options.view().streams.filter(({ is }) => streamFits(is, query));
  const followed = streams.map((stream) => follow(stream, query, lines, both));
  let told = Promise.resolve();
  const deaf = options.listen((note) => {
    told = told.then(() => tell(options, { note, query, lines })).catch(() => undefined);
  });
  try {
    yield* lines.read(signal);
  } finally {
    deaf();
    over.abort();
    await Promise.all(followed);
  }
}

async function follow({ is, log }: StreamView, query: EventQuery, lines: Lines<WatchLine>, signal: AbortSignal): Promise<void> {
  const reader = log.reader("end");
  while (!signal.aborted) {
    for (const record of await reader.next(signal)) {
      const stored = decodeStored(record.value);
      if (eventFits(stored, query) && timeFits(record.timeMs, query)) lines.push({ type: "event", event: loggedEvent(record, is, stored) });
    }
  }
}

async function tell(
  { log, view }: WatchOptions,
  { note, query, lines }: { readonly note: AttemptNote; readonly query: EventQuery; readonly lines: Lines<WatchLine> },
): Promise<void> {
  const now = view();
  const found = await findAt(log, now.streams, note.offset);
  if (found === undefined || !streamFits(found.stream.is, query) || !eventFits(found.stored, query) || !timeFits(found.record.timeMs, query)) return;
  const known = now.subscriberOf(note.subscriber);
  const subscriber = known === undefined ? { id: note.subscriber, namespace: "", name: "" } : subscriberDocument(known);
  lines.push({ type: "attempt", event: loggedEvent(found.record, found.stream.is, found.stored), subscriber, attempt: attemptDocument(note) });
}
