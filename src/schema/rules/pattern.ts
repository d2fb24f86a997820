// Patterns of users as RE2 reads them, in time that grows with the text only.
import { RE2JS } from "re2js";
import type { Pattern } from "../engines.ts";

/** Throws with RE2's complaint. */
export function pattern(source: string): Pattern {
  const compiled = RE2JS.compile(source);
  return { matches: (text) => compiled.matcher(text).find() };
}
