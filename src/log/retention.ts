// Keeps the log within its size and time: drops segments that everybody is done with, and the oldest of streams that say so.
import type { Clock, Logger } from "#core";
import { FRAME_KINDS } from "./frame.ts";
import type { Journal } from "./journal.ts";
import { LogError } from "./log-error.ts";
import { holdsOf, isHeld, planRetention, type EndedSegment, type Holds } from "./retention-plan.ts";
import { framesBetween } from "./scan.ts";
import { bytesOf } from "./segments.ts";
import type { State, StreamState } from "./state.ts";
import type { Summaries } from "./summaries.ts";

/** What is old goes some time later. */
const EVERY_MS = 10 * 60_000;
/** At its size, the log looks at most so often whether something can go. */
const AGAIN_MS = 250;

export interface RetentionParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: Journal;
  readonly summaries: Summaries;
  readonly state: State;
  readonly limits: { readonly bytesMax: number; readonly keepMs: number; readonly segmentBytes: number };
  /** What cursors say is on the disk when it resolves: before it is, nothing goes that they are done with. */
  readonly sync: () => Promise<void>;
  /** A stream's own facts have changed. */
  readonly changed: (stream: StreamState) => void;
}

export class Retention {
  readonly #parts: RetentionParts;
  #sweeping: Promise<void> | undefined;
  /** Since then nothing could go. */
  #vainMs = -Infinity;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await this.soon();
      await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Looks now; what cannot be done is tried again another time. */
  soon(): Promise<void> {
    return this.sweep().catch((err: unknown) => this.#parts.logger.warn("what the event log need not keep was not removed", { err }));
  }

  /** Resolves when there is room; rejects with LogError `limit`. */
  async room(bytes: number, stream: StreamState): Promise<void> {
    const { journal, clock } = this.#parts;
    const vain = clock.monotonicMs() - this.#vainMs < AGAIN_MS;
    if (!vain) await this.sweep();
    while (!journal.hasRoom(bytes) && this.#sweeping !== undefined) await this.#sweeping;
    if (!journal.hasRoom(bytes) && stream.atLimit === "dropOldest") await this.#alone(() => this.#dropOldest(bytes));
    if (journal.hasRoom(bytes)) return;
    if (!vain) this.#vainMs = clock.monotonicMs();
    throw new LogError("limit", "the event log has reached its size and its subscribers are not done with it: try again when they have caught up");
  }

  /** Nothing is removed any more; after the signal of `run`. */
  async ended(): Promise<void> {
    await this.#sweeping?.catch(() => undefined);
  }

  /** Drops what is old, and what is finished when the size comes near. */
  sweep(): Promise<void> {
    return this.#alone(() => this.#sweep());
  }

  /** One at a time; whoever comes meanwhile waits for that one. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#sweeping ??= work().finally(() => (this.#sweeping = undefined));
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { clock, journal, limits, state, sync } = this.#parts;
    const plan = (): readonly EndedSegment[] => {
      const segments = this.#ended();
      // A segment ahead, so that there is room before it is asked for; less in a small log.
      const ahead = Math.min(limits.segmentBytes, limits.bytesMax / 4);
      const limit = { beforeMs: clock.wallMs() - limits.keepMs, bytes: journal.bytes + ahead - limits.bytesMax };
      return planRetention(segments, holdsOf(state.streams.values(), segments), limit);
    };
    if (plan().length === 0) return;
    await sync();
    for (const segment of plan()) await this.#remove(segment);
  }

  #ended(): EndedSegment[] {
    const { journal } = this.#parts;
    return journal.segments.all.flatMap((segment) => {
      const { base, end, endedMs } = segment;
      return end === undefined || end >= journal.durable ? [] : [{ base, end, endedMs, bytes: bytesOf(segment) }];
    });
  }

  async #remove({ base }: EndedSegment): Promise<void> {
    const { journal, summaries } = this.#parts;
    const segment = journal.segments.all.find((one) => one.base === base);
    if (segment !== undefined) await journal.segments.remove(segment);
    await summaries.remove(base);
  }

  /** Only what streams hold that say so goes unfinished; what goes of them is counted. */
  async #dropOldest(bytes: number): Promise<void> {
    const { journal, state, sync } = this.#parts;
    const streams = [...state.streams.values()];
    const strict = (): Holds =>
      holdsOf(
        streams.filter(({ atLimit, removed }) => atLimit === "refuse" && !removed),
        this.#ended(),
      );
    while (!journal.hasRoom(bytes)) {
      const holds = strict();
      const [oldest] = planRetention(this.#ended(), holds, { beforeMs: -Infinity, bytes: 1 });
      if (oldest === undefined) return;
      await this.#count(
        oldest,
        streams.filter(({ atLimit }) => atLimit === "dropOldest"),
      );
      await sync();
      if (isHeld(oldest, strict())) return;
      await this.#remove(oldest);
    }
  }

  async #count({ base, end }: EndedSegment, streams: readonly StreamState[]): Promise<void> {
    const { journal, logger, changed } = this.#parts;
    const dropped = new Map<StreamState, number>();
    const byId = new Map(streams.map((stream) => [stream.id, stream]));
    for await (const frames of framesBetween(journal, base, end)) {
      for (const { kind, stream, offset } of frames) {
        const of = kind === FRAME_KINDS.record ? byId.get(stream) : undefined;
        if (of === undefined || ![...of.cursors.values()].some((cursor) => cursor.isHolding(offset))) continue;
        dropped.set(of, (dropped.get(of) ?? 0) + 1);
      }
    }
    for (const [stream, records] of dropped) {
      stream.dropped += records;
      for (const cursor of stream.cursors.values()) cursor.drop(base, end);
      changed(stream);
      logger.warn("the event log is full: the oldest events of a stream were dropped before all were done with them", { stream: stream.name, records });
    }
  }
}
