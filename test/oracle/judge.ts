// What may differ, and what is still being built: a verdict on each scenario's differences.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Difference } from "./compare.ts";

/** A difference that stays; at most twelve, none in objects, managedFields or codes. */
export interface Accepted {
  readonly scenario: string;
  /** Step and path; what lies below is meant, too. */
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

/** An entry of either list that nothing differs for any more is stale: it has to go. */
export function judge(name: string, found: readonly Difference[], { accepted, pending }: { accepted: readonly Accepted[]; pending: Pending }): Judgement {
  const allowed = accepted.filter(({ scenario }) => scenario === name);
  const differences = found.filter(({ at }) => !allowed.some((entry) => isBelow(at, entry.at)));
  const idle = allowed.find((entry) => !found.some(({ at }) => isBelow(at, entry.at)));
  if (idle !== undefined) return { verdict: "stale", differences, text: `${idle.at} no longer differs: remove it from accepted-differences.json` };
  const waiting = pending[name];
  if (waiting === undefined) return { verdict: differences.length === 0 ? "equal" : "differs", differences, text: "" };
  if (differences.length === 0) return { verdict: "stale", differences, text: "it is equal now: remove it from pending.json" };
  return { verdict: "pending", differences, text: `${waiting.owner}: ${waiting.reason}` };
}
