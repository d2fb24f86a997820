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

export class LineFile {
  readonly #options: LineFileOptions;
  /** Whole lines, each with its end; latin1. */
  #waiting = "";
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
  add(line: string): void {
    if (this.#waiting.length + line.length > WAITING_BYTES_MAX) return this.#options.dropped(1);
    // A line comes as a tree of its parts; looking at its end makes V8 write it out, so that the parts are garbage at once and not for a second.
    if (!line.endsWith("\n")) return this.#options.dropped(1);
    this.#waiting += line;
    this.#lines++;
    if (this.#waiting.length >= PIECE_BYTES) this.flush();
  }

  /** Hands what waits to the system, unless it has not taken the last piece yet. */
  flush(): void {
    if (this.#writing !== undefined || this.#lines === 0) return;
    const fd = this.#open();
    const lines = this.#lines;
    const text = this.#cut ? `\n${this.#waiting}` : this.#waiting;
    if (fd === undefined) return this.#lost(lines);
    const bytes = Buffer.from(text, "latin1");
    this.#waiting = "";
    this.#lines = 0;
    this.#writing = new Promise((resolve) => {
      write(fd, bytes, 0, bytes.length, null, (error, written) => {
        this.#writing = undefined;
        this.#wrote(error, { text, written: error === null ? written : 0, lines });
        resolve();
      });
    });
  }

  /** Writes the rest and lets go of the file. */
  async close(): Promise<void> {
    // The end of one write may begin the next.
    while (this.#writing !== undefined) await this.#writing;
    const fd = this.#lines === 0 ? this.#fd : this.#open();
    if (fd !== undefined && this.#lines > 0) {
      try {
        writeSync(fd, this.#cut ? `\n${this.#waiting}` : this.#waiting, null, "latin1");
      } catch (error) {
        this.#failed(error);
        this.#options.dropped(this.#lines);
      }
    }
    this.#waiting = "";
    this.#lines = 0;
    this.#letGo();
  }

  #wrote(error: NodeJS.ErrnoException | null, piece: { readonly text: string; readonly written: number; readonly lines: number }): void {
    const { text, written, lines } = piece;
    // An output that cannot take more just now takes it later, as long as there is room.
    if (error?.code === "EAGAIN" && text.length + this.#waiting.length <= WAITING_BYTES_MAX) {
      this.#waiting = text + this.#waiting;
      this.#lines += lines;
      return;
    }
    if (error !== null || written < text.length) {
      this.#failed(error ?? new Error(`${written} of ${text.length} bytes were written`));
      this.#letGo();
    } else this.#failing = false;
    if (written > 0) this.#cut = text[written - 1] !== "\n";
    if (written < text.length) this.#options.dropped(text.slice(written).split("\n").length - 1);
    else if (this.#waiting.length >= PIECE_BYTES) this.flush();
  }

  #lost(lines: number): void {
    this.#options.dropped(lines);
    this.#waiting = "";
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
