// Patterns of users as RE2 reads them, in time that grows with the text only.
import { RE2JS } from "re2js";
import type { Pattern } from "../engines.ts";

/** Compiled patterns that are kept: schemas use the same few again and again. */
const KEPT_MAX = 1_000;
const kept = new Map<string, Pattern>();

/** Throws with RE2's complaint. */
export function pattern(source: string): Pattern {
  const known = kept.get(source);
  if (known !== undefined) return known;
  const compiled = RE2JS.compile(source);
  const made: Pattern = { matches: (text) => compiled.matcher(text).find() };
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(source, made);
  return made;
}

/** A pattern whose matches are wanted themselves. */
export function replaceable(source: string): { find(text: string): string[] } {
  const compiled = RE2JS.compile(source);
  return {
    find(text) {
      const matcher = compiled.matcher(text);
      const found: string[] = [];
      while (matcher.find()) found.push(matcher.group() ?? "");
      return found;
    },
  };
}
