// The output of a container, followed into files of ours: the daemon's log is for catching up after a restart, ours is what people read.
import { appendFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { timesFileOf, parseMarks, type Mark } from "../pod/log-times.ts";
import { OUTPUT_BYTES_MAX } from "../engine.ts";
import { FrameSplitter } from "./multiplex.ts";

/** One piece of output, with the time that the daemon has for it. */
export interface TimedPiece {
  readonly atMs: number;
  readonly bytes: Buffer;
}

const LINE_FEED = 10;
const SPACE = 32;
/** A time that long is no time. */
const TIME_BYTES_MAX = 40;
/** Times are noted this far apart, and with each new second: where a second begins has to be found again. */
const NOTE_EVERY_MS = 25;
const LINE_BYTES_MAX = 1 << 20;
const TIMES_BYTES_MAX = 1 << 20;
/** More than two seconds can have. */
const MARKS_KEPT = 100;

/** Where to go on in the daemon's log. */
export interface Resumption {
  /** Whole seconds: Podman knows no shorter times. */
  readonly sinceSeconds: number;
  /** Of what comes from then on, so many bytes are in the file already. */
  readonly skip: number;
}

/** What is in the file says where it ends: marks tell which bytes are of the second of the last one, and those come again. */
export function resumptionOf(marks: readonly Mark[], size: number): Resumption {
  const last = marks.at(-1);
  if (last === undefined) return { sinceSeconds: 0, skip: size };
  const sinceSeconds = Math.floor(last.atMs / 1000);
  const before = marks.findLast(({ atMs }) => atMs < sinceSeconds * 1000);
  return { sinceSeconds, skip: size - (before?.bytes ?? 0) };
}

/** Cuts what `/logs?timestamps=1` answers into pieces: a frame each, or, of a terminal, a line. */
export class TimedOutput {
  readonly #frames: FrameSplitter | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ tty }: { readonly tty: boolean }) {
    this.#frames = tty ? undefined : new FrameSplitter();
  }

  *push(chunk: Buffer): Generator<TimedPiece, void, void> {
    if (this.#frames !== undefined) {
      for (const { bytes } of this.#frames.push(chunk)) yield timed(bytes);
      return;
    }
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let feed = this.#rest.indexOf(LINE_FEED); feed >= 0 || this.#rest.length > LINE_BYTES_MAX; feed = this.#rest.indexOf(LINE_FEED)) {
      const end = feed < 0 ? this.#rest.length : feed + 1;
      yield timed(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  /** What came after the last whole line. */
  *end(): Generator<TimedPiece, void, void> {
    if (this.#rest.length > 0) yield timed(this.#rest);
  }
}

function timed(bytes: Buffer): TimedPiece {
  const space = bytes.indexOf(SPACE);
  const atMs = space > 0 && space <= TIME_BYTES_MAX ? Date.parse(bytes.toString("latin1", 0, space)) : Number.NaN;
  return Number.isNaN(atMs) ? { atMs: 0, bytes } : { atMs, bytes: bytes.subarray(space + 1) };
}

/** Appends to an output file and notes the times beside it; a full file becomes `<file>.1`. One writer a file. */
export class OutputWriter {
  readonly #file: string;
  readonly #bytesMax: number;
  #size = 0;
  #skip = 0;
  #pending: Buffer[] = [];
  /** To be written with the next flush. */
  #marks: Mark[] = [];
  /** Grows until a piece comes that is to be told from it. */
  #open: Mark = { bytes: 0, atMs: 0 };

  constructor(file: string, bytesMax = OUTPUT_BYTES_MAX) {
    this.#file = file;
    this.#bytesMax = bytesMax;
  }

  /** Where the daemon's log has to be read from; to be asked before each reading. */
  async resume(): Promise<Resumption> {
    this.#size = (await stat(this.#file).catch(() => undefined))?.size ?? 0;
    const marks = parseMarks(await readFile(timesFileOf(this.#file), "latin1").catch(() => ""));
    const resumption = resumptionOf(marks, this.#size);
    this.#skip = resumption.skip;
    this.#open = { bytes: this.#size, atMs: marks.at(-1)?.atMs ?? 0 };
    return resumption;
  }

  add({ atMs, bytes }: TimedPiece): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    if (skipped === bytes.length) return;
    const time = Math.max(atMs, this.#open.atMs);
    const isFresh = Math.floor(time / 1000) > Math.floor(this.#open.atMs / 1000) || time - this.#open.atMs >= NOTE_EVERY_MS;
    if (isFresh && this.#size > 0) this.#marks.push(this.#open);
    this.#size += bytes.length - skipped;
    this.#pending.push(bytes.subarray(skipped));
    this.#open = { bytes: this.#size, atMs: isFresh ? time : this.#open.atMs };
  }

  /** Writes what was added. The bytes first: a mark without its bytes would be a lie, bytes without a mark are of the last one's time or later. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    await appendFile(this.#file, bytes, { mode: 0o600 });
    await this.#writeMarks();
    if (this.#size > this.#bytesMax) await this.#turn();
  }

  /** Nothing more comes, for now. */
  async end(): Promise<void> {
    await this.flush();
    if (this.#open.bytes > 0) this.#marks.push(this.#open);
    await this.#writeMarks();
  }

  async #writeMarks(): Promise<void> {
    if (this.#marks.length === 0) return;
    const text = this.#marks.map((mark) => `${mark.bytes} ${mark.atMs}\n`).join("");
    this.#marks = [];
    const times = timesFileOf(this.#file);
    await appendFile(times, text, { mode: 0o600 });
    if ((await stat(times)).size > TIMES_BYTES_MAX) await thin(times);
  }

  /** The file is ours alone to write: nothing is lost between the two. */
  async #turn(): Promise<void> {
    await rename(this.#file, `${this.#file}.1`);
    await rm(timesFileOf(this.#file), { force: true });
    await appendFile(this.#file, "", { mode: 0o600 });
    this.#size = 0;
    this.#open = { bytes: 0, atMs: this.#open.atMs };
    // Told from its first moment on, so that the next reading does not begin with what is in `.1`.
    this.#marks = [this.#open];
    await this.#writeMarks();
  }
}

/** Every second mark goes, but for the last ones, which tell where to go on. */
async function thin(times: string): Promise<void> {
  const lines = (await readFile(times, "latin1")).trimEnd().split("\n");
  const kept = lines.filter((_line, index) => index >= lines.length - MARKS_KEPT || (lines.length - index) % 2 === 1);
  await writeFile(`${times}.new`, `${kept.join("\n")}\n`, { mode: 0o600 });
  await rename(`${times}.new`, times);
}

/** Reads until the log ends, and writes as it comes. Back-pressure is the disk's. */
export async function copyOutput(source: Readable, writer: OutputWriter, { tty }: { readonly tty: boolean }): Promise<void> {
  const output = new TimedOutput({ tty });
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (const piece of output.push(chunk)) writer.add(piece);
      await writer.flush();
    }
    for (const piece of output.end()) writer.add(piece);
  } finally {
    await writer.end();
  }
}
