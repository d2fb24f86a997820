// The start: the newest segment that was begun wholly tells the state, its valid frames tell where the log ends, the rest is cut off.
import type { Logger } from "#core";
import { keepAside, type AsideParts } from "./aside.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { decodeFrame, FRAME_KINDS, type Frame } from "./frame.ts";
import { LOG_FORMAT, type SegmentMark } from "./journal.ts";
import { LogError } from "./log-error.ts";
import { basesOf, segmentName, type Segment } from "./segments.ts";

const READ_BYTES = 1 << 20;

export interface RecoverParts {
  readonly disk: Disk;
  readonly logger: Logger;
  /** What a segment may have allocated behind its end. */
  readonly allocateBytes: number;
}

export interface Recovered {
  readonly segments: readonly Segment[];
  readonly position: number;
}

interface Scanned {
  /** Behind its last valid frame. */
  readonly end: number;
  /** Behind its checkpoint; undefined when that is not whole. */
  readonly body: number | undefined;
  readonly size: number;
  /** Something other than zeros lies behind the end. */
  readonly torn: boolean;
}

/**
 * Gives the frames of the newest segment, checkpoint first, to what `begin` makes; when that segment turns out not to be whole, the one
 * before goes to a new one. Whatever is cut off was never acknowledged.
 */
export async function recover({ disk, logger, allocateBytes }: RecoverParts, begin: () => (frame: Frame) => void): Promise<Recovered> {
  const bases = basesOf(await disk.list());
  for (;;) {
    const base = bases.at(-1);
    if (base === undefined) {
      begin();
      return { segments: [], position: 0 };
    }
    const file = await disk.open(segmentName(base), { create: false, synced: false });
    try {
      const apply = begin();
      let mark: SegmentMark | undefined;
      const scanned = await scan(file, base, (frame) => {
        mark ??= markOf(frame);
        apply(frame);
      });
      if (scanned.body !== undefined) {
        const last = { base, end: undefined, endedMs: undefined, body: scanned.body, allocated: await cut({ disk, logger }, file, { base, ...scanned }) };
        return { segments: [...endedSegments(bases, mark, allocateBytes), last], position: scanned.end };
      }
      if (scanned.torn) await keepAside({ disk, logger }, file, { base, from: base, size: scanned.size });
    } finally {
      await file.close();
    }
    logger.warn("a segment of the event log was never begun wholly and is removed", { segment: segmentName(base) });
    await disk.remove(segmentName(base));
    await disk.syncFolder();
    bases.pop();
  }
}

/** Of a segment's first frame; refuses what a newer version wrote. */
function markOf({ kind, value }: Frame): SegmentMark | undefined {
  if (kind !== FRAME_KINDS.segment) return undefined;
  const mark = JSON.parse(Buffer.from(value).toString()) as SegmentMark;
  if (mark.format !== LOG_FORMAT) {
    throw new LogError(
      "format",
      `the event log has format ${mark.format}, this version reads ${LOG_FORMAT}: start the version that wrote it, nothing was changed`,
    );
  }
  return mark;
}

/** Those before the newest, as that says; one of which it says nothing ends where the next begins. */
function endedSegments(bases: readonly number[], mark: SegmentMark | undefined, allocateBytes: number): Segment[] {
  const known = new Map(mark?.before?.map(([base, end, endedMs]) => [base, { end, endedMs }]));
  return bases.slice(0, -1).map((base, index) => {
    const { end, endedMs } = known.get(base) ?? { end: bases[index + 1] ?? base, endedMs: undefined };
    return { base, end, endedMs, body: base, allocated: end - base + allocateBytes };
  });
}

/** Up to where the file is allocated from now on. */
async function cut(parts: AsideParts, file: DiskFile, { base, end, size, torn }: Scanned & { readonly base: number }): Promise<number> {
  if (!torn) return size;
  if (!(await keepAside(parts, file, { base, from: end, size })))
    parts.logger.info("the end of the event log was torn and is cut off", { segment: segmentName(base), offset: end });
  await file.truncate(end - base);
  await file.datasync();
  return end - base;
}

/** Reads valid frames up to the first place that has none. */
async function scan(file: DiskFile, base: number, each: (frame: Frame) => void): Promise<Scanned> {
  const size = await file.size();
  let end = base;
  let body: number | undefined;
  let bytes = READ_BYTES;
  for (;;) {
    const octets = Buffer.allocUnsafeSlow(Math.max(0, Math.min(bytes, size - (end - base))));
    await file.read(octets, end - base);
    let at = 0;
    let wanted = 0;
    for (;;) {
      const frame = decodeFrame(octets, at, end);
      if (frame === undefined) break;
      if ("short" in frame) {
        wanted = frame.short;
        break;
      }
      if (frame.kind === FRAME_KINDS.begun) body = frame.end;
      each(frame);
      at += frame.end - end;
      end = frame.end;
    }
    if (wanted > 0 && end - base + wanted <= size) {
      bytes = Math.max(READ_BYTES, wanted);
      continue;
    }
    return { end, body, size, torn: await hasOctets(file, end - base, size) };
  }
}

async function hasOctets(file: DiskFile, from: number, to: number): Promise<boolean> {
  const zeros = Buffer.alloc(READ_BYTES);
  const octets = Buffer.alloc(READ_BYTES);
  for (let at = from; at < to; at += READ_BYTES) {
    const read = await file.read(octets.subarray(0, Math.min(READ_BYTES, to - at)), at);
    if (zeros.compare(octets, 0, read, 0, read) !== 0) return true;
  }
  return false;
}
