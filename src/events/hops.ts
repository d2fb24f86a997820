// What an ingress writes into an event: when it came, and how many more Brokers it may pass (eventing.md 2.2, steps 10 and 11).
import { canonical, type AttributeValue } from "./cloudevents/event.ts";

export type Attributes = ReadonlyMap<string, AttributeValue>;

const ARRIVAL = "knativearrivaltime";
const HOPS_LEFT = "knativebrokerttl";
/** Hops of an event that comes from outside. */
const HOPS_MAX = 255;

/** The attributes as they are stored, `arrival` being a timestamp; undefined when the event has no hop left. */
export function admitted(attributes: Attributes, arrival: string): Attributes | undefined {
  const left = hopsAfter(attributes.get(HOPS_LEFT));
  if (left <= 0) return undefined;
  // A copy of a map and what is set in it cost a fraction of a list of all of them.
  return new Map(attributes).set(ARRIVAL, arrival).set(HOPS_LEFT, left);
}

/** One fewer; all of them for an event that is new here, or whose number is none. */
function hopsAfter(value: AttributeValue | undefined): number {
  const text = value === undefined ? "" : canonical(value);
  const number = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : NaN;
  return Number.isNaN(number) ? HOPS_MAX : Math.max(0, number - 1);
}

/** What a subscriber sees: the hops are the Broker's own business. */
export function withoutHops(attributes: Attributes): Attributes {
  const seen = new Map(attributes);
  seen.delete(HOPS_LEFT);
  return seen;
}

/** A reply goes on with the hops of the event that it answers. */
export function withHopsOf(reply: Attributes, event: Attributes): Attributes {
  const hops = event.get(HOPS_LEFT);
  return hops === undefined ? reply : new Map(reply).set(HOPS_LEFT, hops);
}
