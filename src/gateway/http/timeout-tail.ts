// The end of a response that ran out of time after it had begun: the status stays, the body ends with the text.
import type { BodyTracker } from "./body-tracker.ts";
import type { Framing } from "./request-head.ts";

export interface Tail {
  /** Bytes to write, as latin1 text. */
  readonly text: string;
  /** The message is complete as framed; otherwise the connection must close. */
  readonly whole: boolean;
}

/** What to write after the bytes that `tracker` has seen of a body framed by `framing`. */
export function tailOf(tracker: BodyTracker, framing: Framing, text: string): Tail {
  if (framing === "close") return { text, whole: false };
  if (framing !== "chunked") {
    const room = tracker.remaining;
    return { text: text.slice(0, room), whole: room <= text.length };
  }
  const chunk = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  if (tracker.betweenChunks) return { text: chunk, whole: true };
  if (!tracker.insideChunk) return { text: "", whole: false };
  // The chunk that is under way takes the text in; when it is longer, nothing can make it whole.
  if (tracker.remaining > text.length) return { text, whole: false };
  const rest = text.slice(tracker.remaining);
  const more = rest === "" ? "" : `${rest.length.toString(16)}\r\n${rest}\r\n`;
  return { text: `${text.slice(0, tracker.remaining)}\r\n${more}0\r\n\r\n`, whole: true };
}
