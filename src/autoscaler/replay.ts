// Decides again from a recording, from its inputs alone, and compares with what was decided then.
import { isDeepStrictEqual } from "node:util";
import { decisionOf, type RecordedDecision, type RecordedEvent, type Recording } from "./recording.ts";
import { RevisionScaler, type Evaluation } from "./revision-scaler.ts";
import type { RevisionSettings } from "./settings.ts";

/** An event of the recording and what it comes to now. */
export interface Replayed {
  readonly event: RecordedEvent;
  /** In force after it. */
  readonly settings: RevisionSettings;
  readonly ready: number | undefined;
  readonly evaluation: Evaluation | undefined;
  /** Set where the replay does not come to what was recorded. */
  readonly difference?: string;
}

/** Bits, not text: -0 is not 0, and what is absent is not undefined. */
function differenceOf(want: RecordedDecision | undefined, got: RecordedDecision | undefined): string | undefined {
  if (isDeepStrictEqual(want, got)) return undefined;
  const told = (decision: RecordedDecision | undefined): string => (decision === undefined ? "no decision" : JSON.stringify(decision));
  return `recorded ${told(want)}, replayed ${told(got)}`;
}

/** Every event in order. Takes are replayed each from its own beginning, and must end where the next one begins. */
export function* replay({ takes }: Recording): Iterable<Replayed> {
  for (const [index, { from, events }] of takes.entries()) {
    const scaler = RevisionScaler.from(from);
    const next = takes[index + 1];
    for (const [at, event] of events.entries()) {
      const evaluation = scaler.apply(event.input, event.atMs);
      let difference = differenceOf(event.decision, evaluation === undefined ? undefined : decisionOf(evaluation));
      if (difference === undefined && at === events.length - 1 && next !== undefined && !sameState(scaler, next.from)) {
        difference = `the take that begins at ${next.sinceMs} ms begins in another state than this one ends`;
      }
      yield { event, settings: scaler.settings, ready: scaler.ready, evaluation, ...(difference === undefined ? {} : { difference }) };
    }
  }
}

function sameState(scaler: RevisionScaler, recorded: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(scaler.state)), recorded);
}

/** What does not come to the same again; empty for an honest recording. */
export function replayDifferences(recording: Recording): string[] {
  const found: string[] = [];
  for (const { event, difference } of replay(recording)) if (difference !== undefined) found.push(`at ${event.atMs} ms: ${difference}`);
  return found;
}
