// What somebody did with events, as Kubernetes Events about whom it concerns: who, what, how many. Pure.
import type { EventStream, EventSubscriber, ReplayWish, StreamName } from "#protocol";
import type { PlanEvent, Regarding } from "#reconcile";

export type EventDeed =
  | {
      readonly did: "replay";
      readonly user: string;
      readonly to: ReplayWish["to"];
      /** Events that were sent, by the Broker or channel that has them. */
      readonly sent: readonly (StreamName & { readonly events: number })[];
      readonly accepted: number;
      /** Why it did not come to its end. */
      readonly brokenOff?: string;
    }
  | { readonly did: "resume"; readonly user: string; readonly subscriber: string; readonly events: number };

/** What is there now. */
export interface EventSubjects {
  /** By `namespace/name` or uid. */
  subscriber(text: string): { readonly is: EventSubscriber; readonly kind: "Trigger" | "Subscription" } | undefined;
  stream(name: StreamName): EventStream | undefined;
}

export interface ToldEvent {
  readonly about: Regarding;
  readonly event: Pick<PlanEvent, "type" | "reason" | "message">;
}

/** Brokers and channels that are told of one replay. */
const STREAMS_MAX = 10;
const REPLAYED = "EventsReplayed";
const RESUMED = "EventsResumed";

/** The same again has the same text, so that it is counted. */
export function eventsOfDeed(deed: EventDeed, subjects: EventSubjects): readonly ToldEvent[] {
  if (deed.did === "resume") {
    const about = subscriberNamed(subjects, deed.subscriber);
    if (about === undefined || deed.events === 0) return [];
    return [{ about, event: { type: "Normal", reason: RESUMED, message: `${deed.user} had ${count(deed.events)} tried again` } }];
  }
  const { user, to, sent, accepted, brokenOff } = deed;
  const all = sent.reduce((sum, { events }) => sum + events, 0);
  const type = accepted < all || brokenOff !== undefined ? "Warning" : "Normal";
  const end = brokenOff === undefined ? "" : `, ended early: ${brokenOff}`;
  const subscriber = "subscriber" in to ? subscriberNamed(subjects, to.subscriber) : undefined;
  const told: ToldEvent[] = [];
  if (subscriber !== undefined) {
    const message = `${user} replayed ${count(all)} to it, ${accepted} accepted${end}`;
    told.push({ about: subscriber, event: { type, reason: REPLAYED, message } });
  }
  const receiver = "url" in to ? to.url : subscriber === undefined ? to.subscriber : `${subscriber.kind} ${subscriber.namespace}/${subscriber.name}`;
  for (const { events, ...name } of sent.slice(0, STREAMS_MAX)) {
    const stream = subjects.stream(name);
    if (stream === undefined) continue;
    const message = `${user} replayed ${count(events)} of it to ${receiver}${all === events ? `, ${accepted} accepted` : ""}${end}`;
    told.push({ about: streamNamed(stream), event: { type, reason: REPLAYED, message } });
  }
  return told;
}

function subscriberNamed(subjects: EventSubjects, text: string): Regarding | undefined {
  const found = subjects.subscriber(text);
  if (found === undefined) return undefined;
  const { is, kind } = found;
  const group = kind === "Trigger" ? "eventing" : "messaging";
  // A Subscription is known by the channel's uid and its own.
  return { apiVersion: `${group}.knative.dev/v1`, kind, namespace: is.namespace, name: is.name, uid: is.id.slice(is.id.indexOf(".") + 1) };
}

function streamNamed({ id, kind, namespace, name }: EventStream): Regarding {
  return kind === "Broker"
    ? { apiVersion: "eventing.knative.dev/v1", kind, namespace, name, uid: id }
    : { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel", namespace, name, uid: id };
}

function count(events: number): string {
  return events === 1 ? "1 event" : `${events} events`;
}
