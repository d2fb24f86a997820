// Events of the log are sent once more, to a subscriber or to any URL: the oldest first, one after the other, each once.
import { StatusError, type Clock } from "#core";
import type { AttemptDocument, EventSubscriber, LoggedEvent, ReplayLine, ReplayWish } from "#protocol";
import { outgoingFor } from "../delivery/outgoing.ts";
import { isAccepted } from "../delivery/retry.ts";
import type { Sender } from "../delivery/send.ts";
import type { AttemptNote, EventLog } from "../port.ts";
import { attemptDocument, encodeNote } from "./attempt-notes.ts";
import { loggedEvent } from "./event-document.ts";
import { findChosen, findPage, type Found } from "./find.ts";
import type { NodeView, SubscriberView } from "./view.ts";

export interface ReplayOptions {
  readonly log: Pick<EventLog, "read">;
  readonly view: () => NodeView;
  readonly sender: Sender;
  readonly clock: Clock;
}

/** Of one replay; the last line says that there is more. */
export const REPLAY_EVENTS_MAX = 10_000;
const PAGE = 100;
/** Of one attempt to a URL. */
const TIMEOUT_MS = 30_000;
/** Names the replay to whoever gets the event; the event itself is as it was. */
const HEADER = "eider-replay";

interface Receiver {
  readonly is: EventSubscriber;
  /** Undefined: it is only a URL. */
  readonly subscriber?: SubscriberView;
}

/** A line an event, then how it went. Ends early when the signal aborts. */
export async function* replayEvents(options: ReplayOptions, wish: ReplayWish, signal: AbortSignal): AsyncGenerator<ReplayLine> {
  const receiver = receiverOf(options.view(), wish);
  const counts = { accepted: 0, failed: 0, skipped: 0 };
  let done = 0;
  let more = false;
  for await (const found of wished(options, wish, signal)) {
    if (done++ >= REPLAY_EVENTS_MAX) {
      more = true;
      break;
    }
    const event = loggedEvent(found.record, found.stream.is, found.stored);
    const why = whyNot(receiver, found, wish);
    if (why !== undefined) {
      counts.skipped++;
      yield { type: "skipped", event, why };
      continue;
    }
    const attempt = await sendAgain(options, receiver, { found, event, replay: wish.replay }, signal);
    if (signal.aborted) return;
    if (attempt.next === "delivered") counts.accepted++;
    else counts.failed++;
    yield { type: "sent", event, attempt };
  }
  yield { type: "done", replay: wish.replay, ...counts, more };
}

function receiverOf({ subscribers }: NodeView, { to }: ReplayWish): Receiver {
  if ("url" in to) return { is: bareReceiver(to.url) };
  const subscriber = subscribers.find(({ is }) => is.id === to.subscriber || `${is.namespace}/${is.name}` === to.subscriber);
  if (subscriber === undefined) throw new StatusError("NotFound", `no subscriber ${JSON.stringify(to.subscriber)} gets events now`);
  if (subscriber.is.target === undefined) throw new StatusError("Conflict", `the subscriber ${JSON.stringify(to.subscriber)} has no address now`);
  return { is: subscriber.is, subscriber };
}

/** Nobody's filter, nobody's answers. */
function bareReceiver(url: string): EventSubscriber {
  const rules = { retries: 0, backoff: "linear", backoffMs: 0, timeoutMs: TIMEOUT_MS } as const;
  return { id: "", stream: "", namespace: "", name: "", version: 0, selection: { attributes: {}, filters: [] }, target: { url }, rules, order: "none" };
}

/** A range ends where the log ended when it began: answers to what is replayed do not go round. */
async function* wished({ log, view, clock }: ReplayOptions, { events }: ReplayWish, signal: AbortSignal): AsyncGenerator<Found> {
  if ("offsets" in events) {
    for (const offset of events.offsets) yield await findChosen(log, view().streams, { offset }, signal);
    return;
  }
  const query = { ...events.query, untilMs: Math.min(events.query.untilMs ?? Infinity, clock.wallMs()) };
  for (let at: number | undefined; !signal.aborted;) {
    const page = await findPage(view().streams, query, { first: "oldest", limit: PAGE, ...(at === undefined ? {} : { at }) }, signal);
    yield* page.found;
    if (page.next === undefined) return;
    at = page.next;
  }
}

function whyNot({ subscriber }: Receiver, { stream, stored }: Found, { ignoreFilter }: ReplayWish): string | undefined {
  if (subscriber === undefined) return undefined;
  if (subscriber.is.stream !== stream.is.id) return "it is an event of another Broker or Channel";
  return ignoreFilter || subscriber.selects(stored) ? undefined : "the subscriber's filter does not let it pass";
}

async function sendAgain(
  { view, sender, clock }: ReplayOptions,
  { is, subscriber }: Receiver,
  { found, event, replay }: { readonly found: Found; readonly event: LoggedEvent; readonly replay: string },
  signal: AbortSignal,
): Promise<AttemptDocument> {
  const outgoing = outgoingFor(is, found.stored, undefined);
  if (outgoing === undefined) throw new StatusError("Conflict", "the subscriber has no address any more");
  const atMs = clock.wallMs();
  const beganMs = clock.monotonicMs();
  const sent = await sender.send({ ...outgoing, headers: { ...outgoing.headers, [HEADER]: replay } }, signal);
  const tookMs = clock.monotonicMs() - beganMs;
  const taken =
    subscriber === undefined || !isAccepted(sent.result)
      ? undefined
      : await view().takeReply({ subscriber: is, event: found.stored, offset: event.offset, sent, signal });
  const delivered = isAccepted(sent.result) && (taken === undefined || taken.result.is === "taken");
  const note: AttemptNote = {
    stream: found.stream.is.id,
    subscriber: is.id === "" ? (is.target?.url ?? "") : is.id,
    offset: event.offset,
    leg: "replay",
    attempt: 1,
    atMs,
    tookMs,
    ...(sent.result.is === "answer" ? { status: sent.result.status } : { why: sent.result.why }),
    next: delivered ? "delivered" : "gaveUp",
    ...(taken?.offset === undefined ? {} : { reply: taken.offset }),
  };
  found.stream.log.note(event.offset, encodeNote(note));
  return attemptDocument(note);
}
