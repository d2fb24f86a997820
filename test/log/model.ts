// The model of the log's promises: a seed appends, reads, finishes and retries on a simulated disk, cuts the power anywhere, opening
// included, and looks after every cut whether all that was acknowledged is there, nothing else, in order, and no cursor ahead of its work.
import assert from "node:assert/strict";
import { below, SeededRng, silentLogger, SimClock } from "#core";
import type { Cursor, Log, LogError, LogOptions, LogRecord, Reader, Stream } from "#log";
import { SimDisk, type Faults } from "./sim-disk.ts";

export interface Code {
  readonly openLog: (options: LogOptions) => Promise<Log>;
}

/** Something that the log promised does not hold. */
class Broken extends Error {}

interface Written {
  readonly id: number;
  readonly bytes: number;
  offset: number | undefined;
  /** `maybe`: nobody was told, or told that it may be so. `no`: refused before anything was written. */
  state: "maybe" | "yes" | "no";
  /** When it was handed over, and when it was known to be there: at its size, the log may take first what came later. */
  readonly calledAt: number;
  thereAt: number;
  /** At some moment everybody was done with it: it may have been dropped. */
  free?: boolean;
  /** It was acknowledged, and its segment is not there now. */
  dropped?: boolean;
}

/** What a cursor said of a record, at a moment of the model. */
interface Said {
  readonly moment: number;
  readonly attempt: number;
  /** Undefined: finished. */
  readonly dueMs: number | undefined;
}

interface ModelCursor {
  readonly name: string;
  made: boolean;
  live: { readonly cursor: Cursor; readonly reader: Reader } | undefined;
  reading: boolean;
  readonly said: Map<number, Said[]>;
  /** Its place whenever it said something; a place alone, of records that nobody wanted, need not be kept. */
  nexts: { readonly moment: number; readonly next: number }[];
  furthest: number;
}

interface ModelStream {
  readonly name: string;
  made: boolean;
  live: Stream | undefined;
  readonly written: Written[];
  readonly cursors: readonly ModelCursor[];
  /** One reader for all cursors that follow; begins with the first of them. */
  feed: { readonly reader: Reader; readonly place: { at: number }; readonly followers: Set<ModelCursor>; reading: boolean } | undefined;
}

const LIVES = 4;
const STEPS = 30;
/** Where the log is to reach its size, or its records their age, many times in a life. */
const KEEPING_STEPS = 80;
/** As often as the log looks for what is old. */
const KEEPING_MS = 10 * 60_000;

export class World {
  readonly #code: Code;
  readonly #rng: SeededRng;
  readonly #clock = new SimClock();
  readonly #limits: NonNullable<LogOptions["limits"]>;
  readonly #streams: readonly ModelStream[];
  /** All records are of one length, so that old octets lie where new frames end. */
  readonly #alike: boolean;
  /** Small and short-lived, with subscribers that keep up but for a few records. */
  readonly #keeping: boolean;
  #disk: SimDisk;
  #log: Log | undefined;
  /** Counts what was said of cursors; a sync that is acknowledged covers all up to its call. */
  #moment = 0;
  #syncedMoment = 0;
  #id = 0;
  #calls = 0;
  #broken: Error | undefined;

  constructor(code: Code, seed: number) {
    this.#code = code;
    this.#rng = new SeededRng(seed);
    this.#disk = new SimDisk(this.#rng);
    this.#alike = below(this.#rng, 2) === 0;
    this.#limits = {
      segmentBytes: 2_000 + below(this.#rng, 6_000),
      allocateBytes: 256 << below(this.#rng, 5),
      pendingBytesMax: 6_000 + below(this.#rng, 20_000),
      recentBytes: below(this.#rng, 2) * 10_000,
      bytesMax: below(this.#rng, 3) === 0 ? 12_000 + below(this.#rng, 20_000) : Infinity,
    };
    this.#keeping = below(this.#rng, 6) === 0;
    if (this.#keeping) Object.assign(this.#limits, this.#keepingLimits());
    const cursors = (): ModelCursor[] =>
      ["one", "two"].map((name) => ({ name, made: false, live: undefined, reading: false, said: new Map<number, Said[]>(), nexts: [], furthest: 0 }));
    this.#streams = ["a", "b", "c"].map((name) => ({ name, made: false, live: undefined, written: [], cursors: cursors(), feed: undefined }));
  }

  #keepingLimits(): LogOptions["limits"] {
    const bySize = below(this.#rng, 2) === 0;
    return {
      segmentBytes: 800 + below(this.#rng, 1_500),
      allocateBytes: 256 << below(this.#rng, 2),
      bytesMax: bySize ? 9_000 + below(this.#rng, 8_000) : 100_000,
      keepMs: bySize ? Infinity : below(this.#rng, 2) * KEEPING_MS,
    };
  }

  /** Some lives, each ended by a cut; throws at the first promise that does not hold. */
  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      if (!(await this.#open())) continue;
      await this.#verify();
      for (let step = 0; step < (this.#keeping ? KEEPING_STEPS : STEPS) && !this.#disk.isOff && this.#broken === undefined; step++) await this.#step();
      if (this.#broken !== undefined) throw this.#broken;
      if (below(this.#rng, 4) === 0) await this.#until(this.#log?.close());
      this.#disk.cutNow();
      this.#disk = this.#disk.afterCut();
    }
    assert.ok(await this.#open(false));
    await this.#verify();
    await this.#until(this.#log?.close());
  }

  /** False when the power was cut meanwhile; then the next life begins with what that left. */
  async #open(faults = true): Promise<boolean> {
    for (const stream of this.#streams) {
      stream.live = undefined;
      stream.feed = undefined;
      for (const cursor of stream.cursors) cursor.live = undefined;
    }
    if (faults && below(this.#rng, 3) === 0) this.#disk.faults = { cutAt: 1 + below(this.#rng, 12) };
    const opened = this.#code.openLog({ disk: this.#disk, clock: this.#clock, logger: silentLogger, limits: this.#limits });
    this.#log = await this.#until(opened);
    if (this.#log === undefined) {
      this.#disk = this.#disk.afterCut();
      return false;
    }
    this.#disk.faults = faults ? this.#faults() : {};
    return true;
  }

  #faults(): Faults {
    const cutAt = this.#disk.operations + below(this.#rng, this.#keeping ? 400 : 60);
    const kind = below(this.#rng, 6);
    if (kind === 0) return { cutAt, failOneIn: 4 };
    if (kind === 1) return { cutAt, capacity: 6_000 + below(this.#rng, 20_000) };
    return { cutAt };
  }

  /** Undefined when the power goes first. */
  #until<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
    return Promise.race([promise, this.#disk.off.then(() => undefined)]);
  }

  async #turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async #step(): Promise<void> {
    const stream = this.#streams[below(this.#rng, this.#streams.length)] as ModelStream;
    const cursor = stream.cursors[below(this.#rng, stream.cursors.length)] as ModelCursor;
    if (stream.live === undefined) this.#watch(this.#makeStream(stream));
    else {
      const choice = below(this.#rng, 10);
      if (choice < 4) this.#watch(this.#append(stream, stream.live));
      else if (choice < 9 && cursor.live === undefined) this.#watch(this.#makeCursor(stream, stream.live, cursor));
      else if (choice < 7 && cursor.live !== undefined) this.#watch(this.#goOn(stream, cursor, cursor.live));
      else if (choice < 9 && cursor.live !== undefined) this.#workOn(cursor, cursor.live.cursor);
      else this.#watch(this.#sync());
    }
    if (this.#keeping && below(this.#rng, 6) === 0) await this.#keepUp();
    if (this.#keeping && below(this.#rng, 24) === 0) await this.#clock.suspend(KEEPING_MS);
    if (below(this.#rng, 12) === 0) await this.#clock.advance(20);
    if (below(this.#rng, 3) === 0) await this.#turns(1 + below(this.#rng, 6));
  }

  /** Work that goes on by itself; what it finds broken ends the run. */
  #watch(work: Promise<void>): void {
    const { isOff } = this.#disk;
    work.catch((error: unknown) => {
      if (!isOff && (error as LogError).name !== "LogError") this.#broken ??= error as Error;
    });
  }

  async #makeStream(stream: ModelStream): Promise<void> {
    const made = await (this.#log as Log).stream(stream.name);
    stream.made = true;
    stream.live = made;
  }

  async #makeCursor(stream: ModelStream, live: Stream, cursor: ModelCursor): Promise<void> {
    const made = await live.cursor(cursor.name, "start");
    if (cursor.live !== undefined) return;
    for (const record of stream.written) record.free = record.free === true || this.#mayGo(stream, record);
    this.#see(stream, cursor, made);
    cursor.made = true;
    cursor.live = { cursor: made, reader: live.reader(made.next) };
  }

  async #append(stream: ModelStream, live: Stream): Promise<void> {
    const count = below(this.#rng, 4) === 0 ? 1 + below(this.#rng, 5) : 1;
    this.#calls++;
    const records = Array.from({ length: count }, (): Written => {
      const bytes = this.#alike ? 50 : below(this.#rng, 10) === 0 ? below(this.#rng, 3_000) : below(this.#rng, 300);
      return { id: ++this.#id, bytes, offset: undefined, state: "maybe", calledAt: this.#calls, thereAt: Infinity };
    });
    stream.written.push(...records);
    const values = records.map(({ id, bytes }) => ({ value: valueOf(stream.name, id, bytes), keys: [keyOf(id)] }));
    try {
      const first = values[0];
      const offsets = count === 1 && first !== undefined ? [await live.append(first)] : await live.appendAll(values);
      for (const [index, record] of records.entries()) Object.assign(record, { offset: offsets[index], state: "yes", thereAt: this.#calls });
    } catch (error) {
      if (["overloaded", "tooLarge", "limit", "closed"].includes((error as LogError).reason)) for (const record of records) record.state = "no";
      throw error;
    }
  }

  async #sync(): Promise<void> {
    const moment = this.#moment;
    await (this.#log as Log).sync();
    this.#syncedMoment = Math.max(this.#syncedMoment, moment);
  }

  /** A cursor reads by itself, or follows what all read that follow, or leaves them. */
  async #goOn(stream: ModelStream, cursor: ModelCursor, live: NonNullable<ModelCursor["live"]>): Promise<void> {
    const { feed } = stream;
    const follows = feed?.followers.has(cursor) === true;
    const changes = below(this.#rng, 5) === 0 && !cursor.reading;
    if (feed === undefined && changes) stream.feed = this.#feed(stream.live as Stream, cursor, live.cursor);
    else if (feed !== undefined && follows && changes) {
      live.cursor.unfollow();
      feed.followers.delete(cursor);
      cursor.live = { cursor: live.cursor, reader: (stream.live as Stream).reader(live.cursor.next) };
    } else if (feed !== undefined && !follows && changes && live.cursor.next >= feed.place.at) {
      live.cursor.follow(feed.place);
      feed.followers.add(cursor);
    } else if (feed !== undefined && follows) await this.#handOut(stream, feed);
    else await this.#readOn(stream, cursor, live);
  }

  #feed(stream: Stream, cursor: ModelCursor, handle: Cursor): NonNullable<ModelStream["feed"]> {
    const place = { at: handle.next };
    handle.follow(place);
    return { reader: stream.reader(place.at), place, followers: new Set([cursor]), reading: false };
  }

  /** Each follower takes a record or does not; then the place moves on, and all of them with it. */
  async #handOut(stream: ModelStream, feed: NonNullable<ModelStream["feed"]>): Promise<void> {
    if (feed.reading) return;
    feed.reading = true;
    try {
      const records = await feed.reader.poll();
      this.#inOrder(stream, records);
      for (const { offset, end } of records) {
        for (const cursor of feed.followers)
          if (cursor.live !== undefined && offset >= cursor.live.cursor.next) this.#choose(cursor, cursor.live.cursor, offset);
        feed.place.at = end;
        for (const cursor of feed.followers) cursor.furthest = Math.max(cursor.furthest, end);
      }
      feed.place.at = feed.reader.at;
      for (const cursor of feed.followers) cursor.furthest = Math.max(cursor.furthest, feed.place.at);
    } finally {
      feed.reading = false;
    }
  }

  async #readOn(stream: ModelStream, cursor: ModelCursor, { cursor: handle, reader }: NonNullable<ModelCursor["live"]>): Promise<void> {
    if (cursor.reading) return;
    cursor.reading = true;
    try {
      const records = await reader.poll();
      this.#inOrder(stream, records);
      for (const { offset, end } of records) {
        if (offset < handle.next) throw new Broken(`offset ${offset} was given out twice`);
        this.#choose(cursor, handle, offset);
        handle.pass(end);
        cursor.furthest = end;
      }
    } finally {
      cursor.reading = false;
    }
  }

  #choose(cursor: ModelCursor, handle: Cursor, offset: number): void {
    const choice = below(this.#rng, 6);
    if (choice < 2) return this.#say(cursor, offset, 0, undefined);
    if (choice === 2) handle.defer(offset, this.#clock.wallMs());
    else handle.take(offset);
    this.#say(cursor, offset, 0, choice === 2 ? this.#clock.wallMs() : 0);
  }

  /** All subscribers read what there is and are done with most of it. */
  async #keepUp(): Promise<void> {
    for (const stream of this.#streams) {
      for (const cursor of stream.cursors) {
        if (cursor.live === undefined) continue;
        const follows = stream.feed?.followers.has(cursor) === true;
        this.#watch(stream.feed !== undefined && follows ? this.#handOut(stream, stream.feed) : this.#readOn(stream, cursor, cursor.live));
        await this.#turns(1);
        for (const { offset, dueMs } of [...cursor.live.cursor.open()]) if (dueMs === undefined) this.#end(cursor, cursor.live.cursor, offset);
      }
    }
  }

  /** Seldom it is parked. */
  #end(cursor: ModelCursor, handle: Cursor, offset: number): void {
    cursor.nexts.push({ moment: this.#moment + 1, next: handle.next });
    if (below(this.#rng, 40) === 0) {
      handle.park(offset, 1);
      this.#say(cursor, offset, 1, Infinity);
    } else {
      handle.finish(offset);
      this.#say(cursor, offset, 0, undefined);
    }
  }

  #say(cursor: ModelCursor, offset: number, attempt: number, dueMs: number | undefined): void {
    const said = cursor.said.get(offset) ?? [];
    said.push({ moment: ++this.#moment, attempt, dueMs });
    cursor.said.set(offset, said);
  }

  /** Something happens to a record that is open. */
  #workOn(cursor: ModelCursor, handle: Cursor): void {
    const open = [...handle.open()];
    const one = open[below(this.#rng, Math.max(1, open.length))];
    if (one === undefined) return;
    if (one.dueMs !== undefined) {
      handle.resume(one.offset);
      return;
    }
    cursor.nexts.push({ moment: this.#moment + 1, next: handle.next });
    const attempt = one.attempt + 1;
    const choice = below(this.#rng, 4);
    if (choice < 2) {
      handle.finish(one.offset);
      this.#say(cursor, one.offset, 0, undefined);
    } else if (choice === 2) {
      const dueMs = this.#clock.wallMs() + below(this.#rng, 1_000);
      handle.retry(one.offset, { attempt, dueMs });
      this.#say(cursor, one.offset, attempt, dueMs);
    } else {
      handle.park(one.offset, attempt);
      this.#say(cursor, one.offset, attempt, Infinity);
    }
  }

  /** After a start: all that was promised. */
  async #verify(): Promise<void> {
    const log = this.#log as Log;
    for (const stream of this.#streams) {
      if (!log.streams.includes(stream.name)) {
        if (stream.made) throw new Broken(`stream ${stream.name} is lost`);
        continue;
      }
      const live = await this.#until(log.stream(stream.name));
      if (live === undefined) return;
      if (!(await this.#verifyRecords(stream, live))) return;
      stream.made = true;
      for (const cursor of stream.cursors) {
        if (!live.cursors.includes(cursor.name)) {
          if (cursor.made) throw new Broken(`cursor ${cursor.name} of ${stream.name} is lost`);
          continue;
        }
        const found = await this.#until(live.cursor(cursor.name, "end"));
        if (found === undefined) return;
        this.#verifyCursor(stream, cursor, found);
        cursor.made = true;
        this.#see(stream, cursor, found);
      }
    }
    this.#syncedMoment = this.#moment;
  }

  /** False when the power went meanwhile. */
  async #verifyRecords(stream: ModelStream, live: Stream): Promise<boolean> {
    const found: LogRecord[] = [];
    const reader = live.reader("start");
    for (;;) {
      const before = reader.at;
      const records = await this.#until(reader.poll());
      if (records === undefined) return false;
      found.push(...records);
      if (records.length === 0 && reader.at === before) break;
    }
    this.#inOrder(stream, found);
    const ids = new Map(found.map((record) => [idOf(record), record]));
    if (ids.size !== found.length) throw new Broken(`a record of ${stream.name} is there twice`);
    for (const record of stream.written) {
      const there = ids.get(record.id);
      const gone = there === undefined && record.state === "yes";
      if (gone && !this.#mayGo(stream, record)) throw new Broken(`record ${record.id} of ${stream.name} was acknowledged and is lost`);
      if (there !== undefined && record.state === "no") throw new Broken(`record ${record.id} of ${stream.name} was refused and is there`);
      record.dropped = gone;
      // A folder that was not synced may have the segment again after the next cut.
      if (gone) record.free = true;
      else if (there === undefined) record.state = "no";
      else if (record.state === "yes" && record.offset !== there.offset) throw new Broken(`record ${record.id} has moved`);
      else Object.assign(record, { state: "yes", offset: there.offset, thereAt: this.#calls });
    }
    const one = found[below(this.#rng, Math.max(1, found.length))];
    if (one === undefined) return true;
    const again = await this.#until((this.#log as Log).read(one.offset));
    if (again === undefined && this.#mayGo(stream, byOffset(stream, one.offset))) return true;
    if (again === undefined) return !this.#disk.isOff && Promise.reject(new Broken(`offset ${one.offset} cannot be read`));
    if (!Buffer.from(again.value).equals(one.value)) throw new Broken(`offset ${one.offset} reads as something else`);
    return true;
  }

  /** The log has a size or an age, and everybody is done with the record, or was. */
  #mayGo({ cursors }: ModelStream, record: Written | undefined): boolean {
    const { bytesMax, keepMs } = this.#limits;
    if (record?.offset === undefined || (bytesMax === Infinity && keepMs === undefined)) return false;
    const { offset, free = false } = record;
    const isDone = ({ said }: ModelCursor): boolean => said.has(offset) && said.get(offset)?.at(-1)?.dueMs === undefined;
    return free || cursors.every((cursor) => !cursor.made || isDone(cursor));
  }

  /** Nothing but what was appended, whole, in the order of the calls; at the log's size what waited for room may come behind what was called meanwhile. */
  #inOrder(stream: ModelStream, records: readonly LogRecord[]): void {
    let last = 0;
    let called = 0;
    for (const record of records) {
      const id = idOf(record);
      const written = stream.written.find((one) => one.id === id);
      if (written === undefined || !Buffer.from(record.value).equals(valueOf(stream.name, id, written.bytes)))
        throw new Broken(`a record of ${stream.name} was never appended`);
      if (record.keys[0] !== keyOf(id)) throw new Broken(`record ${id} has other keys`);
      if (this.#limits.bytesMax === Infinity ? id <= last : written.thereAt < called) throw new Broken(`record ${id} comes behind ${last}`);
      last = id;
      called = Math.max(called, written.calledAt);
    }
  }

  #verifyCursor(stream: ModelStream, cursor: ModelCursor, found: Cursor): void {
    const open = new Map([...found.open()].map((one) => [one.offset, one]));
    const known = this.#known(cursor.nexts, (one) => one.moment);
    if (found.next > cursor.furthest && cursor.made) throw new Broken(`cursor ${cursor.name} is at ${found.next}, it was never behind ${cursor.furthest}`);
    if (found.next < (known[0]?.next ?? 0)) throw new Broken(`cursor ${cursor.name} is back at ${found.next}, ${known[0]?.next} was synced`);
    for (const { offset, id, state, dropped = false, free = false } of stream.written) {
      if (dropped && offset !== undefined) this.#verifyDropped(cursor, { offset, id }, found, open.has(offset));
      if (state !== "yes" || offset === undefined || offset >= found.next) continue;
      const may = this.#known(cursor.said.get(offset) ?? [], (one) => one.moment);
      const is = open.get(offset);
      open.delete(offset);
      // A cursor that is younger than what had gone when it was made.
      if (dropped || (free && may.length === 0 && is === undefined)) continue;
      const holds = may.some(({ attempt, dueMs }) =>
        is === undefined ? dueMs === undefined : dueMs !== undefined && attempt === is.attempt && (is.dueMs === dueMs || is.dueMs === 0),
      );
      if (!holds) throw new Broken(`cursor ${cursor.name} says of record ${id} ${JSON.stringify(is)}, which was not so: ${JSON.stringify(may)}`);
    }
    if (open.size > 0) throw new Broken(`cursor ${cursor.name} holds what is no record`);
  }

  /** What went was finished, and the disk knew it: what it knows as not finished has to be there. */
  #verifyDropped({ name, said }: ModelCursor, { offset, id }: { readonly offset: number; readonly id: number }, { next }: Cursor, isOpen: boolean): void {
    if (isOpen) throw new Broken(`cursor ${name} holds record ${id}, which was dropped`);
    const wasTaken = said.get(offset)?.some(({ dueMs }) => dueMs !== undefined) ?? false;
    if (wasTaken && offset >= next) throw new Broken(`cursor ${name} is before record ${id}, which was dropped`);
  }

  /** What may be found: the last that was synced, and all that came later. */
  #known<T>(history: readonly T[], momentOf: (one: T) => number): readonly T[] {
    const last = history.findLastIndex((one) => momentOf(one) <= this.#syncedMoment);
    return history.slice(Math.max(0, last));
  }

  /** The model goes on from what is there. */
  #see(stream: ModelStream, cursor: ModelCursor, found: Cursor): void {
    const open = new Map([...found.open()].map((one) => [one.offset, one]));
    const moment = ++this.#moment;
    cursor.said.clear();
    cursor.nexts = [{ moment, next: found.next }];
    cursor.furthest = found.next;
    for (const { offset } of stream.written) {
      if (offset === undefined || offset >= found.next) continue;
      const is = open.get(offset);
      cursor.said.set(offset, [{ moment, attempt: is?.attempt ?? 0, dueMs: is === undefined ? undefined : (is.dueMs ?? 0) }]);
    }
  }
}

function valueOf(stream: string, id: number, bytes: number): Buffer {
  return Buffer.from(`${stream} ${String(id).padStart(6, "0")} ${String(id % 10).repeat(bytes)}`);
}

function byOffset({ written }: ModelStream, offset: number): Written | undefined {
  return written.find((record) => record.offset === offset);
}

function keyOf(id: number): string {
  return `id=${String(id).padStart(6, "0")}`;
}

function idOf({ value }: LogRecord): number {
  return Number(/^\w+ (\d+) /.exec(Buffer.from(value).toString())?.[1]);
}

/** The first seed with which something does not hold, and what. */
export async function failing(code: Code, seeds: { readonly from: number; readonly count: number }): Promise<string | undefined> {
  for (let seed = seeds.from; seed < seeds.from + seeds.count; seed++) {
    try {
      await new World(code, seed).run();
    } catch (error) {
      return `seed ${seed}: ${(error as Error).stack}`;
    }
  }
  return undefined;
}
