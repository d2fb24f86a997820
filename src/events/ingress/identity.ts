// What makes two events the same: source and id (CloudEvents 1.0, 3.1.1).
import { createHash } from "node:crypto";
import { canonical } from "../cloudevents/event.ts";
import type { Attributes } from "../hops.ts";
import type { FoundRecord } from "../port.ts";
import { decodeStored } from "../stored-event.ts";
import { KEY_CHARACTERS_MAX } from "./keys.ts";

/** Longer ones are known by their digest. */
const CHARACTERS_MAX = 64;
const BETWEEN = "\u0000";

export function identityOf(attributes: Attributes): string {
  return identity(canonical(attributes.get("source") ?? ""), canonical(attributes.get("id") ?? ""));
}

/** By its keys, which have the beginning of what is long. */
export function identityOfRecord({ keys, value }: Pick<FoundRecord, "keys" | "value">): string {
  const [source, id] = ["source=", "id="].map((start) => keys.find((key) => key.startsWith(start))?.slice(start.length) ?? "");
  if (source === undefined || id === undefined || Math.max(source.length, id.length) >= KEY_CHARACTERS_MAX) return identityOf(decodeStored(value).attributes);
  return identity(source, id);
}

function identity(source: string, id: string): string {
  const text = `${source}${BETWEEN}${id}`;
  return text.length <= CHARACTERS_MAX ? text : createHash("sha256").update(text).digest("latin1");
}
