// The files of the log: each holds the offsets from its base up to the next one's base, at their place minus the base.
import type { Disk, DiskFile } from "./disk.ts";

/** Files kept open for readers, beside the one that is written. */
const OPEN_MAX = 16;
/** The least that a summary takes. */
const SUMMARY_BYTES = 256;
const NAME = /^(\d{16})\.log$/;

export interface Segment {
  readonly base: number;
  /** Where it ends; undefined for the last. The next one begins there, unless that was dropped. */
  end: number | undefined;
  /** Wall-clock time at which the next one was begun: no record in it was appended later. */
  endedMs: number | undefined;
  /** Where its records begin, behind the checkpoint. */
  body: number;
  /** Up to here its file is known to be allocated: what lies behind the frames is zeros. */
  allocated: number;
  /** A part of it cannot be read, and somebody was told. */
  isDamaged?: boolean;
}

interface Reader {
  readonly file: Promise<DiskFile>;
  users: number;
  gone: boolean;
}

export function segmentName(base: number): string {
  return `${String(base).padStart(16, "0")}.log`;
}

/** What it takes of the disk, and a little more: its file with what is allocated ahead, and its summary. */
export function bytesOf({ base, end, allocated }: Segment): number {
  const length = Math.max(allocated, (end ?? base) - base);
  return length + (length >> 6) + SUMMARY_BYTES;
}

/** Bases of the segments that are on the disk, oldest first. */
export function basesOf(names: readonly string[]): number[] {
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
}

export class Segments {
  readonly #disk: Disk;
  readonly #all: Segment[];
  readonly #readers = new Map<number, Reader>();
  #writer: { readonly base: number; readonly file: DiskFile } | undefined;
  /** What all but the last take of the disk. */
  #endedBytes = 0;

  constructor(disk: Disk, segments: readonly Segment[]) {
    this.#disk = disk;
    this.#all = [...segments];
    this.#count();
  }

  #count(): void {
    this.#endedBytes = this.#all.slice(0, -1).reduce((sum, segment) => sum + bytesOf(segment), 0);
  }

  /** What the log takes of the disk when the last segment goes up to `position`. */
  bytes(position: number): number {
    const { last } = this;
    return this.#endedBytes + (last === undefined ? 0 : Math.max(last.allocated, position - last.base));
  }

  get all(): readonly Segment[] {
    return this.#all;
  }

  get last(): Segment | undefined {
    return this.#all.at(-1);
  }

  /** Undefined where nothing was written yet, or is no more. */
  holding(offset: number): Segment | undefined {
    const segment = this.#all.findLast(({ base }) => base <= offset);
    return segment?.end !== undefined && offset >= segment.end ? undefined : segment;
  }

  /** The next segment; its file comes with the first write. */
  begin(base: number, wallMs: number): Segment {
    const { last } = this;
    if (last !== undefined) Object.assign(last, { end: base, endedMs: wallMs });
    const segment: Segment = { base, end: undefined, endedMs: undefined, body: base, allocated: 0 };
    this.#all.push(segment);
    this.#count();
    return segment;
  }

  /** Forgets the segments from there on, of which nothing was acknowledged; they come back with `begin`. */
  rewind(to: number): Segment[] {
    const at = this.#all.findIndex(({ base }) => base >= to);
    if (at < 0) return [];
    const gone = this.#all.splice(at);
    // What ended there goes on.
    const { last } = this;
    if (last?.end === gone[0]?.base && last !== undefined) Object.assign(last, { end: undefined, endedMs: undefined });
    this.#count();
    return gone;
  }

  /** The file that is written, made when it is new: its name is on the disk before anything in it counts. */
  async writer({ base, allocated }: Segment): Promise<DiskFile> {
    if (this.#writer?.base === base) return this.#writer.file;
    await this.#closeWriter();
    const file = await this.#disk.open(segmentName(base), { create: true, synced: true });
    this.#writer = { base, file };
    if (allocated > 0) return file;
    await file.truncate(0);
    await this.#disk.syncFolder();
    return file;
  }

  /** Octets of a segment from there on; fewer than asked for at its end, none when its file is gone. */
  async read({ base }: Segment, buffer: Uint8Array, position: number): Promise<number> {
    const reader = this.#reader(base);
    reader.users++;
    try {
      return await (await reader.file).read(buffer, position);
    } catch (error) {
      this.#readers.delete(base);
      reader.gone = true;
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw error;
    } finally {
      reader.users--;
      await release(reader);
    }
  }

  #reader(base: number): Reader {
    const reader = this.#readers.get(base) ?? { file: this.#disk.open(segmentName(base), { create: false, synced: false }), users: 0, gone: false };
    this.#readers.delete(base);
    this.#readers.set(base, reader);
    const [oldest] = this.#readers.keys();
    if (this.#readers.size > OPEN_MAX && oldest !== undefined) this.#dismiss(oldest);
    return reader;
  }

  /** Takes the file away. */
  async remove(segment: Segment): Promise<void> {
    const at = this.#all.indexOf(segment);
    if (at >= 0) this.#all.splice(at, 1);
    this.#count();
    this.#dismiss(segment.base);
    if (this.#writer?.base === segment.base) await this.#closeWriter();
    await this.#disk.remove(segmentName(segment.base));
  }

  async close(): Promise<void> {
    for (const base of this.#readers.keys()) this.#dismiss(base);
    await this.#closeWriter();
  }

  #dismiss(base: number): void {
    const reader = this.#readers.get(base);
    this.#readers.delete(base);
    if (reader === undefined) return;
    reader.gone = true;
    void release(reader);
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.file.close();
  }
}

/** Closes a file that is no longer kept, once nobody reads it. */
async function release(reader: Reader): Promise<void> {
  if (!reader.gone || reader.users > 0) return;
  const file = await reader.file.catch(() => undefined);
  await file?.close().catch(() => undefined);
}
