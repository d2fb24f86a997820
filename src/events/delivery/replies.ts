// What a subscriber answers with: perhaps an event, which goes on as a new one (eventing.md 2.6; decision 48, rows 4, 5 and 7).
import type { Clock } from "#core";
import { LogError } from "#log";
import type { EventSubscriber } from "#protocol";
import type { CloudEvent } from "../cloudevents/event.ts";
import { decodeMessage } from "../cloudevents/http.ts";
import { withHopsOf } from "../hops.ts";
import { statusOf, takeEvents, type Intake } from "../ingress/take-events.ts";
import { passedOn, traceHeaders } from "../pass-headers.ts";
import type { StoredEvent } from "../stored-event.ts";
import { countsHops, outgoingFor } from "./outgoing.ts";
import type { ReplyResult } from "./plan.ts";
import { isAccepted, isRetryable } from "./retry.ts";
import type { Sender, Sent } from "./send.ts";

export interface ReplyOptions {
  /** Who takes events for a stream of this platform, and the address that its failures are told with. */
  readonly intakeOf: (stream: string) => { readonly intake: Intake; readonly address: string } | undefined;
  readonly sender: Sender;
  /** A subscriber has answered with an event. */
  readonly saw: (subscriber: EventSubscriber, reply: StoredEvent) => void;
  readonly clock: Clock;
}

type Taken = { readonly result: ReplyResult; readonly offset?: number };

/** Means "taken in hand": the body of such an answer is no reply. */
const ACCEPTED_FOR_LATER = 202;
const NO_HOPS_LEFT = 400;
const NOT_FOUND = 404;
/** An answer that says it is an event and is none. */
const BAD_ANSWER = 502;

export interface Answered {
  readonly subscriber: EventSubscriber;
  readonly event: StoredEvent;
  /** The event's. */
  readonly offset: number;
  readonly sent: Sent;
  readonly signal: AbortSignal;
}

/** Undefined: there is no reply, or nobody wants it. */
export async function takeReply(options: ReplyOptions, { subscriber, event, offset, sent, signal }: Answered): Promise<Taken | undefined> {
  if (sent.result.is !== "answer" || sent.result.status === ACCEPTED_FOR_LATER || subscriber.reply === undefined) return undefined;
  const message = decodeMessage(sent.headers, sent.body);
  if (message.is === "none") return undefined;
  if (message.is !== "event") {
    return { result: { is: "busy", destination: subscriber.target?.url ?? "", result: { is: "answer", status: BAD_ANSWER } } };
  }
  const { event: answer }: { readonly event: CloudEvent } = message;
  const attributes = countsHops(subscriber) ? withHopsOf(answer.attributes, event.attributes) : answer.attributes;
  const reply: StoredEvent = { ...answer, attributes, headers: { ...passedOn(sent.headers), ...traceHeaders(event.headers) } };
  options.saw(subscriber, reply);
  return subscriber.reply.to === "stream"
    ? intoStream(options, subscriber.reply.stream, { reply, origin: offset })
    : send(options, { subscriber, reply, signal });
}

/** Without a way over HTTP: the next Broker hop of an event that is in our own log already. */
async function intoStream(
  { intakeOf, clock }: ReplyOptions,
  id: string,
  { reply, origin }: { readonly reply: StoredEvent; readonly origin: number },
): Promise<Taken> {
  const to = intakeOf(id);
  const destination = to?.address ?? "";
  if (to === undefined) return { result: { is: "busy", destination, result: { is: "answer", status: NOT_FOUND } } };
  try {
    const taken = await takeEvents(to.intake, { events: [reply], origin }, clock);
    if ("refused" in taken) return { result: { is: "refused", destination, result: { is: "answer", status: NO_HOPS_LEFT } } };
    const [offset] = taken.offsets;
    return { result: { is: "taken" }, ...(offset === undefined ? {} : { offset }) };
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const status = statusOf(error);
    return { result: { is: status === 413 ? "refused" : "busy", destination, result: { is: "answer", status } } };
  }
}

async function send(
  { sender }: ReplyOptions,
  { subscriber, reply, signal }: { subscriber: EventSubscriber; reply: StoredEvent; signal: AbortSignal },
): Promise<Taken> {
  const { reply: to } = subscriber;
  if (to?.to !== "url") return { result: { is: "taken" } };
  const outgoing = outgoingFor({ ...subscriber, target: to }, reply, undefined);
  if (outgoing === undefined) return { result: { is: "taken" } };
  const { result } = await sender.send(outgoing, signal);
  if (isAccepted(result)) return { result: { is: "taken" } };
  return { result: { is: isRetryable(result) ? "busy" : "refused", destination: to.url, result } };
}
