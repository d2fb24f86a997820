// The summaries of sealed segments: made in the background when one is sealed, kept beside it in `BASE.sum`, made again when missing.
import type { Logger } from "#core";
import type { Disk } from "./disk.ts";
import type { Journal } from "./journal.ts";
import { framesBetween } from "./scan.ts";
import type { Segment } from "./segments.ts";
import { decodeSummary, encodeSummary, SummaryBuilder, type Summary } from "./summary.ts";

/** Of those in memory. */
const MEMORY_BYTES_MAX = 8 << 20;

export function summaryName(base: number): string {
  return `${String(base).padStart(16, "0")}.sum`;
}

export class Summaries {
  readonly #disk: Disk;
  readonly #journal: Journal;
  readonly #logger: Logger;
  /** Used last, last. */
  readonly #kept = new Map<number, Summary>();
  #bytes = 0;
  /** One is read or made at a time. */
  #work: Promise<unknown> = Promise.resolve();
  /** Segments before this one have been looked at. */
  #sealed: number;
  #closed = false;

  constructor(disk: Disk, journal: Journal, logger: Logger) {
    this.#disk = disk;
    this.#journal = journal;
    this.#logger = logger;
    this.#sealed = journal.segments.last?.base ?? 0;
  }

  /** Where a segment ends for good; undefined while it may grow: until something of the next one is on the disk. */
  endOf(segment: Segment): number | undefined {
    return segment.end !== undefined && segment.end < this.#journal.durable ? segment.end : undefined;
  }

  /** More is on the disk; whether a segment was sealed with it. */
  advanced(): boolean {
    const { last, all } = this.#journal.segments;
    if (last === undefined || last.base <= this.#sealed || last.base >= this.#journal.durable) return false;
    const sealed = all.filter(({ base }) => base >= this.#sealed && base < last.base);
    this.#sealed = last.base;
    for (const segment of sealed)
      this.of(segment).catch((err: unknown) => this.#logger.warn("a segment of the event log has no summary yet", { segment: segment.base, err }));
    return true;
  }

  /** Undefined for a segment that may grow, or that cannot be read. */
  of(segment: Segment): Promise<Summary | undefined> {
    const end = this.endOf(segment);
    const kept = this.#kept.get(segment.base);
    if (end === undefined || kept?.end === end) return Promise.resolve(end === undefined ? undefined : kept);
    const summary = this.#work.then(() => this.#find(segment.base, end));
    this.#work = summary.catch(() => undefined);
    return summary;
  }

  /** The segment is no more. */
  remove(base: number): Promise<void> {
    // Behind whatever is under way, which might write it again.
    const removed = this.#work.then(() => {
      this.#forget(base);
      return this.#disk.remove(summaryName(base));
    });
    this.#work = removed.catch(() => undefined);
    return removed;
  }

  /** What is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
  }

  async #find(base: number, end: number): Promise<Summary | undefined> {
    const found = this.#kept.get(base) ?? (await this.#read(base));
    if (found?.base === base && found.end === end) return this.#keep(found);
    const built = await this.#build(base, end);
    return built === undefined ? undefined : this.#keep(built);
  }

  #keep(summary: Summary): Summary {
    this.#forget(summary.base);
    this.#kept.set(summary.base, summary);
    this.#bytes += bytesOf(summary);
    for (const base of this.#kept.keys()) {
      if (this.#bytes <= MEMORY_BYTES_MAX || base === summary.base) break;
      this.#forget(base);
    }
    return summary;
  }

  #forget(base: number): void {
    const kept = this.#kept.get(base);
    if (kept !== undefined) this.#bytes -= bytesOf(kept);
    this.#kept.delete(base);
  }

  async #read(base: number): Promise<Summary | undefined> {
    try {
      const file = await this.#disk.open(summaryName(base), { create: false, synced: false });
      try {
        const octets = Buffer.alloc(await file.size());
        return (await file.read(octets, 0)) === octets.length ? decodeSummary(octets) : undefined;
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Undefined when not all of the segment can be read: nothing is said of it. */
  async #build(base: number, end: number): Promise<Summary | undefined> {
    const builder = new SummaryBuilder();
    let at = base;
    for await (const frames of framesBetween(this.#journal, base, end)) {
      if (this.#closed) return undefined;
      for (const frame of frames) builder.add(frame);
      at = frames.at(-1)?.end ?? at;
    }
    if (at < end) return undefined;
    const summary = builder.build(base, end);
    await this.#write(summary).catch((err: unknown) => this.#logger.info("a summary of the event log was not written", { segment: base, err }));
    return summary;
  }

  /** Not synced: one that is not whole is made again. */
  async #write(summary: Summary): Promise<void> {
    const file = await this.#disk.open(summaryName(summary.base), { create: true, synced: false });
    try {
      await file.truncate(0);
      await file.write([encodeSummary(summary)], 0);
    } finally {
      await file.close();
    }
  }
}

function bytesOf({ keys, notes }: Summary): number {
  return keys.octets.length + notes.octets.length;
}
