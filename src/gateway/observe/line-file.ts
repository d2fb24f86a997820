// Lines for a file that several threads append to: gathered, written in large pieces off the request's way, dropped and counted when that fails.
import { close, fstatSync, openSync, renameSync, statSync, write, writeSync } from "node:fs";
import type { Clock, Logger } from "#core";

/** As much is written at once; less is when a second has passed. */
const PIECE_BYTES = 64 * 1024;
/** Lines that wait beyond are dropped. */
const WAITING_BYTES_MAX = 1 << 20;
/** How often the file is looked at: whether it was moved away, and how large it is. */
const LOOK_MS = 1_000;
/** A larger file is moved to `<path>.1`, that one to `.2` and so on; the last is forgotten. */
const FILE_BYTES_MAX = 64 << 20;
const FILES_KEPT = 3;
const STDOUT = 1;
/** A piece, and the longest line that may come behind what is not yet one. */
const BUFFER_BYTES = PIECE_BYTES + 16 * 1024;
const LF = 10;
const NEWLINE: Buffer = Buffer.from("\n");

export interface LineFileOptions {
  /** Appended to, readable by its owner only; or `stdout`, the platform's own output. */
  readonly path: string;
  /** One of the threads moves a file that is full; the others see that it was moved. */
  readonly rotates: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lines that could not be written. */
  readonly dropped: (lines: number) => void;
  readonly bytesMax?: number;
}

/** A line that is written where it is gathered; it ends with its only newline. */
export interface WrittenLine {
  /** It has no more octets than this. */
  readonly bytesMax: number;
  /** Writes it from `at` on; answers the index behind it. */
  writeTo(into: Uint8Array, at: number): number;
}

export class LineFile {
  readonly #options: LineFileOptions;
  /** Whole lines, each with its end; latin1. Two buffers take turns: one is filled, the other written. */
  #waiting: Buffer = Buffer.alloc(0);
  #spare: Buffer | undefined;
  #size = 0;
  #lines = 0;
  #fd: number | undefined;
  #lookedMs = -Infinity;
  /** A write is under way; its bytes are not in `#waiting`. */
  #writing: Promise<void> | undefined;
  /** The last write ended inside a line. */
  #cut = false;
  #failing = false;

  constructor(options: LineFileOptions) {
    this.#options = options;
  }

  /** Whether anything waits to be written. */
  get isDirty(): boolean {
    return this.#lines > 0;
  }

  /** Resolves once the write that is under way has ended. */
  get idle(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  /** `line` ends with its only newline; never throws, never waits. */
  add(line: string | WrittenLine): void {
    const size = this.#size + (typeof line === "string" ? line.length : line.bytesMax);
    if (size > WAITING_BYTES_MAX) return this.#options.dropped(1);
    // A text comes as a tree of its parts; looking at its end makes V8 write it out, so that the parts are garbage at once and not for a second.
    if (typeof line === "string" && !line.endsWith("\n")) return this.#options.dropped(1);
    if (size > this.#waiting.length) this.#grow(size);
    if (typeof line === "string") this.#size += this.#waiting.write(line, this.#size, "latin1");
    else this.#size = line.writeTo(this.#waiting, this.#size);
    this.#lines++;
    if (this.#size >= PIECE_BYTES) this.flush();
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(size, BUFFER_BYTES, 2 * this.#waiting.length));
    this.#waiting.copy(larger, 0, 0, this.#size);
    this.#waiting = larger;
  }

  /** Hands what waits to the system, unless it has not taken the last piece yet. */
  flush(): void {
    if (this.#writing !== undefined || this.#lines === 0) return;
    const fd = this.#open();
    const lines = this.#lines;
    if (fd === undefined) return this.#lost(lines);
    const filled = this.#waiting;
    const bytes = this.#piece();
    this.#waiting = this.#spare ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.#spare = undefined;
    this.#size = 0;
    this.#lines = 0;
    this.#writing = new Promise((resolve) => {
      write(fd, bytes, 0, bytes.length, null, (error, written) => {
        this.#writing = undefined;
        this.#wrote(error, { bytes, written: error === null ? written : 0, lines });
        // One that has grown is not kept.
        if (filled.length === BUFFER_BYTES) this.#spare ??= filled;
        resolve();
      });
    });
  }

  /** What waits, behind the end of a line that was cut. */
  #piece(): Buffer {
    const bytes = this.#waiting.subarray(0, this.#size);
    return this.#cut ? Buffer.concat([NEWLINE, bytes]) : bytes;
  }

  /** Writes the rest and lets go of the file. */
  async close(): Promise<void> {
    // The end of one write may begin the next.
    while (this.#writing !== undefined) await this.#writing;
    const fd = this.#lines === 0 ? this.#fd : this.#open();
    if (fd !== undefined && this.#lines > 0) {
      try {
        writeSync(fd, this.#piece());
      } catch (error) {
        this.#failed(error);
        this.#options.dropped(this.#lines);
      }
    }
    this.#size = 0;
    this.#lines = 0;
    this.#letGo();
  }

  #wrote(error: NodeJS.ErrnoException | null, piece: { readonly bytes: Buffer; readonly written: number; readonly lines: number }): void {
    const { bytes, written, lines } = piece;
    // An output that cannot take more just now takes it later, as long as there is room.
    if (error?.code === "EAGAIN" && bytes.length + this.#size <= WAITING_BYTES_MAX) {
      this.#waiting = Buffer.concat([bytes, this.#waiting.subarray(0, this.#size)]);
      this.#size = this.#waiting.length;
      this.#lines += lines;
      this.#cut = false;
      return;
    }
    if (error !== null || written < bytes.length) {
      this.#failed(error ?? new Error(`${written} of ${bytes.length} bytes were written`));
      this.#letGo();
    } else this.#failing = false;
    if (written > 0) this.#cut = bytes[written - 1] !== LF;
    if (written < bytes.length) this.#options.dropped(bytes.subarray(written).filter((octet) => octet === LF).length);
    else if (this.#size >= PIECE_BYTES) this.flush();
  }

  #lost(lines: number): void {
    this.#options.dropped(lines);
    this.#size = 0;
    this.#lines = 0;
  }

  #open(): number | undefined {
    const { path, clock } = this.#options;
    if (path === "stdout") return STDOUT;
    const nowMs = clock.monotonicMs();
    if (this.#fd !== undefined && nowMs - this.#lookedMs < LOOK_MS) return this.#fd;
    this.#lookedMs = nowMs;
    try {
      if (this.#fd !== undefined && this.#isMoved(path, this.#fd)) this.#letGo();
      this.#fd ??= openSync(path, "a", 0o600);
    } catch (error) {
      this.#failed(error);
    }
    return this.#fd;
  }

  /** Whether another file, or none, is at `path` now: moved by somebody else, or by ourselves because it is full. */
  #isMoved(path: string, fd: number): boolean {
    const own = fstatSync(fd);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there === undefined || there.ino !== own.ino || there.dev !== own.dev) return true;
    if (!this.#options.rotates || own.size < (this.#options.bytesMax ?? FILE_BYTES_MAX)) return false;
    for (let kept = FILES_KEPT - 1; kept >= 1; kept--) {
      if (statSync(`${path}.${kept}`, { throwIfNoEntry: false }) !== undefined) renameSync(`${path}.${kept}`, `${path}.${kept + 1}`);
    }
    renameSync(path, `${path}.1`);
    return true;
  }

  #letGo(): void {
    if (this.#fd !== undefined) close(this.#fd, () => undefined);
    this.#fd = undefined;
    this.#lookedMs = -Infinity;
  }

  /** Told once until it works again. */
  #failed(err: unknown): void {
    if (!this.#failing) this.#options.logger.error("log lines cannot be written", { path: this.#options.path, err });
    this.#failing = true;
  }
}
