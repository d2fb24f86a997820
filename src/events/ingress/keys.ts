// By what an event of the log is found again.
import { canonical } from "../cloudevents/event.ts";
import type { Attributes } from "../hops.ts";

const NAMES = ["type", "source", "id", "subject"] as const;
/** Of one attribute in the index; longer ones are found by their beginning. */
export const KEY_CHARACTERS_MAX = 256;
/** Of an event that is a subscriber's answer: what follows is the offset of the event that it answers. */
export const ORIGIN_KEY = "origin=";

export function keysOf(attributes: Attributes, origin: number | undefined): string[] {
  const keys: string[] = [];
  for (const name of NAMES) {
    const value = attributes.get(name);
    if (value !== undefined) keys.push(`${name}=${canonical(value).slice(0, KEY_CHARACTERS_MAX)}`);
  }
  if (origin !== undefined) keys.push(`${ORIGIN_KEY}${origin}`);
  return keys;
}
