// Answers questions about what has happened to events (decision 51).
import { StatusError, type Clock } from "#core";
import type { EventList, EventQuery, EventsQuestion, EventSummary, Resumed } from "#protocol";
import type { Sender } from "../delivery/send.ts";
import type { EventLog, NoteAttempt } from "../port.ts";
import { attemptsOf } from "./attempt-notes.ts";
import { deliveriesOf, standingsOf } from "./deliveries.ts";
import { loggedEvent } from "./event-document.ts";
import { findChosen, findPage } from "./find.ts";
import { replayEvents } from "./replay.ts";
import { pathOf } from "./story.ts";
import type { NodeView } from "./view.ts";
import { watchEvents } from "./watch.ts";

export interface HistoryOptions {
  readonly log: Pick<EventLog, "read">;
  readonly view: () => NodeView;
  readonly sender: Sender;
  readonly clock: Clock;
}

export const LIST_MAX = 500;

export class EventHistory {
  readonly #options: HistoryOptions;
  readonly #ears = new Set<NoteAttempt>();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** For those who watch. */
  readonly note: NoteAttempt = (note, event) => {
    for (const ear of this.#ears) ear(note, event);
  };

  /** Lines of the answer; throws StatusErrors. */
  async *answer(question: EventsQuestion, signal: AbortSignal): AsyncGenerator<unknown> {
    const { log, view } = this.#options;
    switch (question.do) {
      case "list":
        yield await this.#list(question.query, question, signal);
        return;
      case "show":
        yield await pathOf(log, view(), await findChosen(log, view().streams, question.event, signal), signal);
        return;
      case "watch":
        yield* watchEvents({ log, view, listen: (ear) => this.#listen(ear) }, question.query, signal);
        return;
      case "replay":
        yield* replayEvents(this.#options, question, signal);
        return;
      case "resume":
        yield this.#resume(question);
    }
  }

  #listen(ear: NoteAttempt): () => void {
    this.#ears.add(ear);
    return () => void this.#ears.delete(ear);
  }

  async #list(query: EventQuery, { limit, before }: { readonly limit: number; readonly before?: number }, signal: AbortSignal): Promise<EventList> {
    const { streams, subscribers } = this.#options.view();
    const at = before === undefined ? {} : { at: before };
    const { found, next } = await findPage(streams, query, { first: "newest", limit: Math.min(limit, LIST_MAX), ...at }, signal);
    const items: EventSummary[] = [];
    for (const { record, stream, stored } of found) {
      const attempts = await attemptsOf(stream.log, record.offset, signal);
      const of = subscribers.filter(({ is }) => is.stream === stream.is.id);
      const deliveries = deliveriesOf({ offset: record.offset, stored }, of, attempts);
      items.push({ ...loggedEvent(record, stream.is, stored), standings: standingsOf(deliveries) });
    }
    return { items, ...(next === undefined ? {} : { continue: String(next) }) };
  }

  #resume({ subscriber, offset }: { readonly subscriber: string; readonly offset?: number }): Resumed {
    const { subscribers, resume } = this.#options.view();
    const meant = subscribers.find(({ is }) => is.id === subscriber || `${is.namespace}/${is.name}` === subscriber);
    if (meant === undefined) throw new StatusError("NotFound", `no subscriber ${JSON.stringify(subscriber)} gets events now`);
    const offsets = offset === undefined ? [...meant.open].filter(({ dueMs }) => dueMs === Infinity).map((one) => one.offset) : [offset];
    const resumed = offsets.filter((one) => resume(meant.is.id, one)).sort((a, b) => a - b);
    if (offset !== undefined && resumed.length === 0)
      throw new StatusError("Conflict", `the event at offset ${offset} neither waits nor is parked at ${JSON.stringify(subscriber)}`);
    return { resumed };
  }
}
