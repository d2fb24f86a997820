// Attempts as notes of the log: JSON, without what the place of the note says already.
import type { AttemptDocument } from "#protocol";
import type { AttemptNote, LogPage, StreamLog } from "../port.ts";

/** Of one event that are read; what an event has beyond it is not told. */
export const NOTES_MAX = 10_000;
const PAGE = 1_000;

type Kept = Omit<AttemptNote, "stream" | "offset">;

export function encodeNote(note: AttemptNote): Uint8Array {
  return Buffer.from(JSON.stringify({ ...note, stream: undefined, offset: undefined }));
}

/** Attempts of one event by subscriber, each in order. */
export async function attemptsOf(stream: Pick<StreamLog, "notes">, offset: number, signal: AbortSignal): Promise<Map<string, AttemptDocument[]>> {
  const found = new Map<string, AttemptDocument[]>();
  let read = 0;
  for (let at: number | undefined; read < NOTES_MAX;) {
    const page: LogPage<{ readonly value: Uint8Array }> = await stream.notes(offset, { limit: PAGE, ...(at === undefined ? {} : { at }) }, signal);
    for (const { value } of page.found) {
      const kept = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as Kept;
      const attempts = found.get(kept.subscriber);
      if (attempts === undefined) found.set(kept.subscriber, [attemptDocument(kept)]);
      else attempts.push(attemptDocument(kept));
    }
    read += page.found.length;
    if (page.next === undefined) break;
    at = page.next;
  }
  return found;
}

export function attemptDocument({ atMs, tookMs, leg, attempt, status, why, next, reply }: Kept): AttemptDocument {
  return {
    leg,
    attempt,
    time: new Date(atMs).toISOString(),
    tookMs: Math.round(tookMs * 1_000) / 1_000,
    ...(status === undefined ? {} : { status }),
    ...(why === undefined ? {} : { why }),
    next,
    ...(reply === undefined ? {} : { reply }),
  };
}
