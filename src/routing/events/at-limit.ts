// What becomes of events when the event log is at its size: an annotation of a Broker or of a channel.
const AT_LIMIT = "eider.dev/at-limit";

/** The oldest events go, delivered or not, rather than that new ones are refused. */
export function dropsOldest(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return annotations?.[AT_LIMIT] === "drop-oldest";
}
