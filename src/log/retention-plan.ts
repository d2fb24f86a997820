// Decides which segments of the log may go. Pure.
import type { Cursor } from "./cursor.ts";
import type { StreamState } from "./state.ts";

/** Segments before these stay, whatever is known of them: should the newest turn out damaged, the state is in the one before. */
const NEWEST_KEPT = 2;

export interface EndedSegment {
  readonly base: number;
  readonly end: number;
  /** Undefined: not known, and so not old. */
  readonly endedMs: number | undefined;
  /** What the disk gets back. */
  readonly bytes: number;
}

/** What somebody is not done with. */
export interface Holds {
  /** Segments with something open in them. */
  readonly bases: ReadonlySet<number>;
  /** Nothing that ends behind this may go: a cursor with records before it has not come further. */
  readonly from: number;
}

/** What these streams' cursors hold. A cursor that has passed its stream's newest record holds nothing by its place: what comes lies ahead. */
export function holdsOf(streams: Iterable<StreamState>, segments: readonly EndedSegment[]): Holds {
  const bases = new Set<number>();
  let from = Infinity;
  for (const { last, cursors } of streams) {
    for (const cursor of cursors.values()) {
      if (cursor.next <= last) from = Math.min(from, cursor.next);
      holdOpen(cursor, segments, bases);
    }
  }
  return { bases, from };
}

/** Offsets of one cursor mostly lie in one segment after the other. */
function holdOpen(cursor: Cursor, segments: readonly EndedSegment[], bases: Set<number>): void {
  let at: EndedSegment | undefined;
  for (const { offset } of cursor.open()) {
    if (at !== undefined && offset >= at.base && offset < at.end) continue;
    at = segments.findLast(({ base }) => base <= offset);
    if (at !== undefined && offset < at.end) bases.add(at.base);
  }
}

export function isHeld({ base, end }: EndedSegment, { bases, from }: Holds): boolean {
  return end > from || bases.has(base);
}

/** Which of the segments, oldest first, go: those that ended before `beforeMs`, and then as many as free so many octets. */
export function planRetention(
  segments: readonly EndedSegment[],
  holds: Holds,
  { beforeMs, bytes }: { readonly beforeMs: number; readonly bytes: number },
): readonly EndedSegment[] {
  const going: EndedSegment[] = [];
  let freed = 0;
  for (const segment of segments.slice(0, Math.max(0, segments.length - NEWEST_KEPT + 1))) {
    if (isHeld(segment, holds)) continue;
    const old = segment.endedMs !== undefined && segment.endedMs < beforeMs;
    if (!old && freed >= bytes) continue;
    going.push(segment);
    freed += segment.bytes;
  }
  return going;
}
