// What has happened to events, as the events thread tells it (decision 51): questions, and the documents that the HTTP API answers with.

/** Which events are meant; what is absent does not matter. */
export interface EventQuery {
  /** Of the Broker or Channel. */
  readonly namespace?: string;
  readonly kind?: "Broker" | "Channel";
  readonly name?: string;
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly subject?: string;
  /** Wall-clock times of arrival: from, and before. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** One event: by its place, or the newest of that id that fits. */
export type EventChoice = { readonly offset: number } | (EventQuery & { readonly id: string });

export type EventsQuestion =
  /** The newest first; `before`: only those below that offset. */
  | { readonly do: "list"; readonly query: EventQuery; readonly limit: number; readonly before?: number }
  | { readonly do: "show"; readonly event: EventChoice }
  /** What happens from now on. */
  | { readonly do: "watch"; readonly query: EventQuery }
  | ({ readonly do: "replay" } & ReplayWish)
  /** Events that are parked, or wait, are tried now: one of them, or all that are parked. */
  | { readonly do: "resume"; readonly subscriber: string; readonly offset?: number };

export interface ReplayWish {
  /** Offsets, or a range, the oldest first. */
  readonly events: { readonly offsets: readonly number[] } | { readonly query: EventQuery };
  /** `namespace/name` of a Trigger or Subscription, or its uid; or any URL. */
  readonly to: { readonly subscriber: string } | { readonly url: string };
  /** Also to a subscriber whose filter does not let the event pass. */
  readonly ignoreFilter: boolean;
  /** Names this replay in the header `eider-replay`. */
  readonly replay: string;
}

export interface StreamName {
  readonly kind: "Broker" | "Channel";
  readonly namespace: string;
  readonly name: string;
}

export interface LoggedEvent {
  /** Its place in the log. */
  readonly offset: number;
  readonly stream: StreamName;
  /** When it was on the disk's way. */
  readonly time: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly dataBytes: number;
  /** Offset of the event that it is a subscriber's answer to. */
  readonly origin?: number;
}

export interface AttemptDocument {
  readonly leg: "subscriber" | "deadLetter" | "replay";
  /** 1 is the first of its leg. */
  readonly attempt: number;
  readonly time: string;
  readonly tookMs: number;
  /** Absent: nobody answered, `why` says what happened. */
  readonly status?: number;
  readonly why?: string;
  readonly next: "delivered" | "deadLettered" | "gaveUp" | "retry" | "deadLetter" | "park";
  /** Offset of the event that was answered with. */
  readonly reply?: number;
}

/**
 * `missed`: its filter does not let it pass, evaluated now; no attempt is on record
 * `ahead`: the subscriber has not come so far   `inFlight` · `waiting` for its next attempt · `parked` until somebody resumes it
 * `delivered` · `deadLettered` · `gaveUp`: the last attempt said so
 * `replayed`: only a replay has sent it there
 * `unrecorded`: done with, and no attempt is on record: the subscriber or its filter is newer, or the record is gone
 */
export type EventStanding = "missed" | "ahead" | "inFlight" | "waiting" | "parked" | "delivered" | "deadLettered" | "gaveUp" | "replayed" | "unrecorded";

export interface DeliveryDocument {
  readonly subscriber: { readonly id: string; readonly namespace: string; readonly name: string; readonly url?: string; readonly deadLetterUrl?: string };
  /** What its filter says now; absent: the subscriber is no more. */
  readonly matchesNow?: boolean;
  readonly standing: EventStanding;
  /** Of the next attempt. */
  readonly due?: string;
  readonly attempts: readonly AttemptDocument[];
}

/** In a list: how many subscribers stand how. */
export interface EventSummary extends LoggedEvent {
  readonly standings: Readonly<Partial<Record<EventStanding, number>>>;
}

export interface EventList {
  readonly items: readonly EventSummary[];
  /** `before` of the next page; absent: this was the last. */
  readonly continue?: string;
}

/** One event with all that came of it. */
export interface EventStory extends LoggedEvent {
  readonly data?: { readonly json: unknown } | { readonly text: string } | { readonly base64: string };
  /** The data are longer than what is shown. */
  readonly dataCut?: true;
  readonly deliveries: readonly (DeliveryDocument & { readonly replies: readonly EventStory[] })[];
}

export interface EventPath {
  /** Of the event that was asked for. */
  readonly asked: number;
  /** The first event of the path: the one that came from outside, as far as the log still has it. */
  readonly root: EventStory;
  /** More events belong to it than are shown. */
  readonly cut?: true;
}

export type WatchLine =
  | { readonly type: "event"; readonly event: LoggedEvent }
  | { readonly type: "attempt"; readonly event: LoggedEvent; readonly subscriber: DeliveryDocument["subscriber"]; readonly attempt: AttemptDocument };

export type ReplayLine =
  | { readonly type: "sent"; readonly event: LoggedEvent; readonly attempt: AttemptDocument }
  | { readonly type: "skipped"; readonly event: LoggedEvent; readonly why: string }
  | { readonly type: "done"; readonly replay: string; readonly accepted: number; readonly failed: number; readonly skipped: number; readonly more: boolean };

export interface Resumed {
  readonly resumed: readonly number[];
}
