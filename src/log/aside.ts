// Whole frames behind a damaged one: whether they were acknowledged cannot be told, so they are cut off, but kept in a file of their own.
import type { Logger } from "#core";
import type { Disk, DiskFile } from "./disk.ts";
import { decodeFrame, FRAME_HEAD } from "./frame.ts";
import { segmentName } from "./segments.ts";

const READ_BYTES = 1 << 20;
/** Older ones are removed. */
const KEPT_MAX = 4;
const NAME = /^\d{16}\.damaged$/;

export interface AsideParts {
  readonly disk: Disk;
  readonly logger: Logger;
}

/** Copies what lies behind `from` aside when there is a whole frame in it; false when there is none. */
export async function keepAside(
  { disk, logger }: AsideParts,
  file: DiskFile,
  { base, from, size }: { base: number; from: number; size: number },
): Promise<boolean> {
  if (!(await hasFrame(file, { base, from, size }))) return false;
  const name = `${String(from).padStart(16, "0")}.damaged`;
  logger.error("the event log is damaged in the middle of its newest segment: what lies behind is not used any more, and kept aside", {
    segment: segmentName(base),
    offset: from,
    file: name,
  });
  try {
    await removeOldest(disk);
    await copy(disk, name, file, { at: from - base, to: size });
    await disk.syncFolder();
  } catch (err) {
    logger.error("what is damaged of the event log could not be kept aside", { file: name, err });
  }
  return true;
}

async function removeOldest(disk: Disk): Promise<void> {
  const names = (await disk.list()).filter((name) => NAME.test(name)).sort();
  for (const name of names.slice(0, Math.max(0, names.length - KEPT_MAX + 1))) await disk.remove(name);
}

async function copy(disk: Disk, name: string, file: DiskFile, { at, to }: { at: number; to: number }): Promise<void> {
  const into = await disk.open(name, { create: true, synced: false });
  try {
    await into.truncate(0);
    const octets = Buffer.allocUnsafe(READ_BYTES);
    for (let from = at; from < to; from += READ_BYTES) {
      const read = await file.read(octets.subarray(0, Math.min(READ_BYTES, to - from)), from);
      await into.write([octets.subarray(0, read)], from - at);
    }
    await into.datasync();
  } finally {
    await into.close();
  }
}

/** A frame names its own place: one that is whole is found wherever it begins. Only such as fit into one read are looked for. */
async function hasFrame(file: DiskFile, { base, from, size }: { base: number; from: number; size: number }): Promise<boolean> {
  const octets = Buffer.alloc(2 * READ_BYTES);
  for (let at = from - base; at < size; at += READ_BYTES) {
    const read = octets.subarray(0, await file.read(octets.subarray(0, Math.min(octets.length, size - at)), at));
    for (let place = 0; place < Math.min(READ_BYTES, read.length - FRAME_HEAD); place++) {
      if (read.readDoubleLE(place + 8) !== base + at + place) continue;
      const frame = decodeFrame(read, place, base + at + place);
      if (frame !== undefined && !("short" in frame)) return true;
    }
  }
  return false;
}
