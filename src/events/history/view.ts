// What the history looks at and acts through: streams and subscribers as they stand.
import type { EventStream, EventSubscriber } from "#protocol";
import type { Answered, takeReply } from "../delivery/replies.ts";
import type { Intake } from "../ingress/take-events.ts";
import type { StreamLog } from "../port.ts";
import type { StoredEvent } from "../stored-event.ts";

export interface StreamView {
  readonly is: EventStream;
  readonly log: StreamLog;
  readonly intake?: Pick<Intake, "recent">;
}

export interface SubscriberView {
  readonly is: EventSubscriber;
  readonly selects: (event: StoredEvent) => boolean;
  /** Nothing from here on was looked at. */
  readonly next: number;
  /** Taken and not finished; `dueMs` is Infinity for what is parked, undefined for what is in flight. */
  readonly open: Iterable<{ readonly offset: number; readonly dueMs: number | undefined }>;
}

/** A moment's; the parts that change are read anew for each question. */
export interface NodeView {
  readonly streams: readonly StreamView[];
  /** Made when it is read: there may be thousands. */
  readonly subscribers: readonly SubscriberView[];
  /** By its id. */
  subscriberOf(id: string): EventSubscriber | undefined;
  resume(subscriber: string, offset: number): boolean;
  /** Takes the answer of a subscriber as its deliveries do. */
  takeReply(answered: Answered): ReturnType<typeof takeReply>;
}
