// Decisions in a row with the same numbers as one: what `explain` shows.
import { replay } from "./replay.ts";
import type { Recording } from "./recording.ts";
import type { Evaluation } from "./revision-scaler.ts";
import type { DeciderSettings } from "./settings.ts";

/** One evaluation with all that went into it, or several in a row with the same numbers. Times are monotonic milliseconds. */
export interface Explained extends Omit<Evaluation, "atMs" | "news"> {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly settings: DeciderSettings;
}

function sameNumbers(a: Explained, b: Omit<Explained, "sinceMs" | "untilMs">): boolean {
  const sameValues = a.values?.stable === b.values?.stable && a.values?.panic === b.values?.panic;
  const sameCounts = a.ready === b.ready && a.desired === b.desired && a.heldAt === b.heldAt && a.panicking === b.panicking;
  return sameValues && sameCounts && a.settings === b.settings && typeof a.outcome === typeof b.outcome;
}

/** One more evaluation; one like the last only prolongs it. */
export function explainedWith(before: Explained | undefined, { atMs, news: _news, ...rest }: Evaluation, settings: DeciderSettings): Explained {
  const evaluation = { ...rest, settings };
  const sinceMs = before !== undefined && sameNumbers(before, evaluation) ? before.sinceMs : atMs;
  return { ...evaluation, sinceMs, untilMs: atMs };
}

/** The evaluations of a recording by replaying it, oldest first, at most `limit` different ones. */
export function explainRecording(recording: Recording, limit: number): readonly Explained[] {
  const list: Explained[] = [];
  for (const { evaluation, settings } of replay(recording)) {
    if (evaluation === undefined) continue;
    const explained = explainedWith(list.at(-1), evaluation, settings.decider);
    if (list.at(-1)?.sinceMs === explained.sinceMs) list.pop();
    list.push(explained);
    if (list.length > limit) list.shift();
  }
  return list;
}
