// What may differ, and what is still being built: a verdict on each scenario's differences.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Difference } from "./compare.ts";

/** A difference that stays; at most twelve, none in objects, managedFields or codes. */
export type Accepted = AcceptedPlace | AcceptedClass;

export interface AcceptedPlace {
  readonly scenario: string;
  /** Step and path; what lies below is meant, too. */
  readonly at: string;
  readonly reason: string;
}

/** In every scenario, the corpus' and the generator's: lines of a difference that the real text goes on with after some words, and ours does not. */
export interface AcceptedClass {
  readonly after: string;
  /** A path without its step and without indices. */
  readonly at: string;
  readonly reason: string;
}

/** Scenarios that are not equal yet, with the helper who is at it. */
export type Pending = Readonly<Record<string, { readonly owner: string; readonly reason: string }>>;

const read = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8"));

export const readAccepted = (): readonly Accepted[] => read("accepted-differences.json") as readonly Accepted[];
export const readPending = (): Pending => read("pending.json") as Pending;

export interface Judgement {
  readonly verdict: "equal" | "differs" | "pending" | "stale";
  readonly differences: readonly Difference[];
  /** Why it is pending or stale. */
  readonly text: string;
}

const isBelow = (at: string, above: string): boolean => at === above || (at.startsWith(above) && /^[.[]/.test(at.slice(above.length)));

const isPlace = (entry: Accepted): entry is AcceptedPlace => "scenario" in entry;

/** Lines of a difference, from its first `@@` on. */
const DIFFERENCE_LINES = /^\n@@ .*(\n[-+@ ].*)*\n?/;

/** The text without the lines of a difference that stand right after the words, wherever those stand. */
function withoutLines(text: string, after: string): string {
  const [first = "", ...rest] = text.split(after);
  return [first, ...rest.map((part) => part.replace(DIFFERENCE_LINES, ""))].join(after);
}

/** Only the lines may differ: with another word in the sentence it is another difference. */
function isOfClass({ at, real, ours }: Difference, entry: AcceptedClass): boolean {
  const path = at.replace(/^\d+\./, "").replaceAll(/\[\d+\]/g, "[]");
  return path === entry.at && typeof real === "string" && withoutLines(real, entry.after) === ours;
}

/** The differences that are of no accepted class. */
export function withoutClasses(found: readonly Difference[], accepted: readonly Accepted[]): readonly Difference[] {
  return found.filter((difference) => !accepted.some((entry) => !isPlace(entry) && isOfClass(difference, entry)));
}

/** An entry of either list that nothing differs for any more is stale: it has to go. */
export function judge(name: string, found: readonly Difference[], { accepted, pending }: { accepted: readonly Accepted[]; pending: Pending }): Judgement {
  const allowed = accepted.filter(isPlace).filter(({ scenario }) => scenario === name);
  const differences = withoutClasses(found, accepted).filter(({ at }) => !allowed.some((entry) => isBelow(at, entry.at)));
  const idle = allowed.find((entry) => !found.some(({ at }) => isBelow(at, entry.at)));
  if (idle !== undefined) return { verdict: "stale", differences, text: `${idle.at} no longer differs: remove it from accepted-differences.json` };
  const waiting = pending[name];
  if (waiting === undefined) return { verdict: differences.length === 0 ? "equal" : "differs", differences, text: "" };
  if (differences.length === 0) return { verdict: "stale", differences, text: "it is equal now: remove it from pending.json" };
  return { verdict: "pending", differences, text: `${waiting.owner}: ${waiting.reason}` };
}
