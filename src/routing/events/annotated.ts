// What annotations say of a Broker or of a channel as a stream of events.
import { parsePeriodMs } from "#kinds";
import type { EventStream } from "#protocol";

/** At the log's size the oldest events go, delivered or not, rather than that new ones are refused. */
const AT_LIMIT = "eider.dev/at-limit";
/** For so long an event is the same when source and id are: an ISO 8601 duration. */
const DEDUPLICATE = "eider.dev/deduplicate";
const DEDUPLICATE_MS_MAX = 24 * 3_600_000;

/** What cannot be read counts as absent. */
export function annotated(annotations: Readonly<Record<string, string>> = {}): Pick<EventStream, "atLimit" | "deduplicateMs"> {
  const text = annotations[DEDUPLICATE];
  const ms = text === undefined ? 0 : (parsePeriodMs(text) ?? 0);
  return {
    ...(annotations[AT_LIMIT] === "drop-oldest" ? { atLimit: "dropOldest" } : {}),
    ...(ms > 0 ? { deduplicateMs: Math.min(DEDUPLICATE_MS_MAX, ms) } : {}),
  };
}
