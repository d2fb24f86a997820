// The request that brings an event to a subscriber or to a dead letter sink. Pure.
import type { EventSubscriber } from "#protocol";
import { withoutHops } from "../hops.ts";
import { TRACE_NAMES } from "../pass-headers.ts";
import { canonical } from "../cloudevents/event.ts";
import { encodeMessage } from "../cloudevents/http.ts";
import type { StoredEvent } from "../stored-event.ts";
import { errorAttributes, type DeliveryError } from "./plan.ts";
import type { Outgoing } from "./send.ts";

/** A Trigger's answers come back to its Broker, which counts the hops. */
export function countsHops({ reply }: EventSubscriber): boolean {
  return reply?.to === "stream";
}

/** `error`: the event is a dead letter, and keeps its hops as in Knative. Undefined: there is nobody to send to. */
export function outgoingFor(subscriber: EventSubscriber, event: StoredEvent, error: DeliveryError | undefined): Outgoing | undefined {
  const target = error === undefined ? subscriber.target : subscriber.deadLetter;
  if (target === undefined) return undefined;
  const { format, timeoutMs } = subscriber.rules;
  const sent = countsHops(subscriber) ? withoutHops(event.attributes) : event.attributes;
  const attributes = error === undefined ? sent : new Map([...event.attributes, ...Object.entries(errorAttributes(error))]);
  const { headers, body } = encodeMessage({ ...event, attributes }, format ?? event.form);
  // A span of ours goes before what the event says of its origin.
  const trace = TRACE_NAMES.flatMap((name) => {
    const value = event.headers["traceparent"] === undefined ? event.attributes.get(name) : undefined;
    return value === undefined ? [] : [[name, canonical(value)] as const];
  });
  return {
    target,
    headers: { ...event.headers, ...Object.fromEntries(trace), ...headers, prefer: "reply", "kn-namespace": subscriber.namespace },
    body,
    timeoutMs,
  };
}
