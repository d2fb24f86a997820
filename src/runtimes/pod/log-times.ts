// When lines of output were written: the keeper's notes beside an output file, and lines with their times.
import { open, stat } from "node:fs/promises";

export interface Mark {
  /** Size of the output file by then. */
  readonly bytes: number;
  readonly atMs: number;
}

/** Whole lines alone; what is no mark is passed over. */
export function parseMarks(text: string): Mark[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .flatMap((line) => {
      const [, bytes, atMs] = /^(\d+) (\d+)$/.exec(line) ?? [];
      return bytes === undefined ? [] : [{ bytes: Number(bytes), atMs: Number(atMs) }];
    });
}

/** When the byte at `offset` was there: the first mark behind it. Undefined for what is not noted (yet). */
export function timeAt(marks: readonly Mark[], offset: number): number | undefined {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((marks[middle]?.bytes ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return marks[low]?.atMs;
}

export class LogTimes {
  readonly #output: string;
  readonly #times: string;
  #marks: Mark[] = [];
  #read = 0;

  constructor(outputFile: string) {
    this.#output = outputFile;
    this.#times = timesFileOf(outputFile);
  }

  /** Output without a note has the time of the file's last change. */
  async at(offset: number): Promise<number> {
    const known = timeAt(this.#marks, offset);
    if (known !== undefined) return known;
    await this.#readMore();
    return timeAt(this.#marks, offset) ?? Math.round((await stat(this.#output)).mtimeMs);
  }

  /** The output file starts anew. */
  reset(): void {
    this.#marks = [];
    this.#read = 0;
  }

  async #readMore(): Promise<void> {
    const handle = await open(this.#times, "r").catch(() => undefined);
    if (handle === undefined) return;
    try {
      const { size } = await handle.stat();
      // It was thinned, or the output was cut.
      if (size < this.#read) this.reset();
      const buffer = Buffer.alloc(size - this.#read);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#read);
      const text = buffer.toString("latin1", 0, bytesRead);
      for (const mark of parseMarks(text)) this.#marks.push(mark);
      this.#read += text.lastIndexOf("\n") + 1;
    } finally {
      await handle.close();
    }
  }
}

export function timesFileOf(outputFile: string): string {
  return `${outputFile}.times`;
}

/** RFC 3339 with nine digits, as container runtimes write it. */
export function logTime(atMs: number): string {
  return new Date(atMs).toISOString().replace("Z", "000000Z");
}

export interface Stamping {
  readonly timestamps: boolean;
  /** Lines before then are left out. */
  readonly sinceMs: number | undefined;
  readonly at: (offset: number) => Promise<number>;
}

export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const LINE_FEED = 10;

/** Puts times before lines and leaves out old ones, however the output is cut into pieces. */
export async function* stamped(pieces: AsyncIterable<Piece>, { timestamps, sinceMs, at }: Stamping): AsyncGenerator<Uint8Array, void, void> {
  let fresh = true;
  let kept = true;
  for await (const { offset, bytes } of pieces) {
    const parts: Uint8Array[] = [];
    for (let start = 0; start < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, start);
      const end = feed < 0 ? bytes.length : feed + 1;
      if (fresh) {
        const atMs = await at(offset + start);
        kept = sinceMs === undefined || atMs >= sinceMs;
        if (kept && timestamps) parts.push(Buffer.from(`${logTime(atMs)} `));
      }
      if (kept) parts.push(bytes.subarray(start, end));
      fresh = feed >= 0;
      start = end;
    }
    if (parts.length > 0) yield Buffer.concat(parts);
  }
}
