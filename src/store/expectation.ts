// Whether a write's expectation holds for what is there.
import type { Entry, Expectation } from "./port.ts";

export function holds(expect: Expectation, current: Entry | undefined): boolean {
  if (expect === "any") return true;
  if (expect === "absent") return current === undefined;
  return current?.revision === expect;
}

/** The smallest text that is greater than every text with this prefix. */
export function prefixEnd(prefix: string): string {
  return prefix === "" ? "\u{10ffff}" : prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
