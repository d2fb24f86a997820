// How far each PingSource is, in one file of the data folder: read once, written whole and moved into place, one write at a time.
import { open, readFile, rename } from "node:fs/promises";
import type { RunMark } from "./ping-plan.ts";

/** Where marks are kept. */
export interface Marks {
  get(source: string): RunMark | undefined;
  /** Resolves once the mark, and all that were set before, are on the disk. */
  set(source: string, mark: RunMark): Promise<void>;
  delete(source: string): void;
  readonly sources: readonly string[];
}

const FORMAT = 1;

interface Content {
  readonly format: number;
  readonly marks: Readonly<Record<string, RunMark>>;
}

export class MarksFile implements Marks {
  readonly #path: string;
  readonly #marks: Map<string, RunMark>;
  /** The write that is under way, and the one that takes what has been set meanwhile. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, marks: Map<string, RunMark>) {
    this.#path = path;
    this.#marks = marks;
  }

  /** A file that is not there is empty; one of another format is refused. */
  static async open(path: string): Promise<MarksFile> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return new MarksFile(path, new Map());
    const { format, marks } = JSON.parse(text) as Content;
    if (format !== FORMAT) throw new Error(`${path} has format ${format}, and ${FORMAT} is read here`);
    return new MarksFile(path, new Map(Object.entries(marks)));
  }

  get sources(): readonly string[] {
    return [...this.#marks.keys()];
  }

  get(source: string): RunMark | undefined {
    return this.#marks.get(source);
  }

  set(source: string, mark: RunMark): Promise<void> {
    this.#marks.set(source, mark);
    this.#next ??= this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#next;
  }

  /** Gone with the next write. */
  delete(source: string): void {
    this.#marks.delete(source);
  }

  #write(): Promise<void> {
    this.#next = undefined;
    this.#writing = this.#replace(JSON.stringify({ format: FORMAT, marks: Object.fromEntries(this.#marks) } satisfies Content));
    return this.#writing;
  }

  async #replace(text: string): Promise<void> {
    const file = await open(`${this.#path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.new`, this.#path);
  }
}
