// Patterns of users as RE2 reads them, in time that grows with the text only.
import { RE2JS } from "re2js";
import type { Pattern } from "../engines.ts";

/** Throws with RE2's complaint. */
export function pattern(source: string): Pattern {
  const compiled = RE2JS.compile(source);
  return { matches: (text) => compiled.matcher(text).find() };
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
