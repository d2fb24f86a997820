// How data that came as mere octets is written in a form that tells texts from octets.
import { TextDecoder } from "node:util";
import type { AttributeValue, EventData } from "./event.ts";
import { isJson, isText } from "./media-type.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** As what its type says, if it is that; without a type nothing is known of it. */
export function shownAs(octets: Uint8Array, type: AttributeValue | undefined): "json" | "text" | "binary" {
  if (typeof type !== "string") return "binary";
  const wanted = isJson(type) ? "json" : isText(type) ? "text" : "binary";
  if (wanted === "binary") return wanted;
  try {
    const text = UTF8.decode(octets);
    if (wanted === "json") JSON.parse(text);
    return wanted;
  } catch {
    return "binary";
  }
}

/** A text of another form is a string only where its type says that a value is one. */
export function writtenAs({ octets, is }: EventData, type: AttributeValue | undefined): "json" | "text" | "binary" {
  if (is === "json" || is === "binary") return is;
  return is === "text" && typeof type === "string" && !isJson(type) ? "text" : shownAs(octets, type);
}
