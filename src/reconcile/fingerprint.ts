// A short stand-in for a JSON value, to remember what was wanted and what came of it.
import { createHash } from "node:crypto";

/** A short text that is equal for equal values with members in the same order. */
export function fingerprint(value: unknown): string {
  return createHash("sha1").update(JSON.stringify(value)).digest("base64");
}
