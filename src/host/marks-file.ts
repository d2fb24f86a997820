// Marks in a file: changes are lines behind one another, and a file with many more lines than marks is written whole and moved into place.
// One write at a time takes all that was changed meanwhile.
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Marks, MarksShelf } from "#core";

const FORMAT = 2;
/** Lines that say nothing any more, beside as many as there are marks. */
const STALE_MAX = 1_000;

/** `[key, mark]`, or `[key]` for one that is gone. */
type Line<M> = readonly [string, M] | readonly [string];

/** A first line that names the format and has no marks beside it is followed by changes. */
interface Head<M> {
  readonly format: number;
  /** Of format 1, which had nothing else. */
  readonly marks?: Readonly<Record<string, M>>;
}

export class MarksFile<M> implements Marks<M> {
  readonly #path: string;
  readonly #marks: Map<string, M>;
  /** Keys whose change is in no line yet: no more than there are keys, however long the disk takes. */
  #changed = new Set<string>();
  /** Lines of the file; undefined: what it holds is not known for sure, or of another format. */
  #lines: number | undefined;
  /** The write that is under way, and the one that takes what has been changed meanwhile. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, marks: Map<string, M>) {
    this.#path = path;
    this.#marks = marks;
  }

  /** A file that is not there is empty; one of another format is refused. A line that was not written to its end was promised to nobody. */
  static async open<M>(path: string): Promise<MarksFile<M>> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    return new MarksFile(path, text === "" ? new Map() : marksOf(path, text));
  }

  get(key: string): M | undefined {
    return this.#marks.get(key);
  }

  entries(): Iterable<readonly [string, M]> {
    return this.#marks.entries();
  }

  set(key: string, mark: M): Promise<void> {
    this.#marks.set(key, mark);
    return this.#change(key);
  }

  delete(key: string): Promise<void> {
    return this.#marks.delete(key) ? this.#change(key) : Promise.resolve();
  }

  #change(key: string): Promise<void> {
    this.#changed.add(key);
    this.#next ??= this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#next;
  }

  #write(): Promise<void> {
    this.#next = undefined;
    const changed = this.#changed;
    this.#changed = new Set();
    const lines = (this.#lines ?? Infinity) + changed.size;
    this.#writing = lines > 2 * this.#marks.size + STALE_MAX ? this.#replace() : this.#append([...changed]);
    return this.#writing;
  }

  #lineOf(key: string): string {
    const mark = this.#marks.get(key);
    return `${JSON.stringify((mark === undefined ? [key] : [key, mark]) satisfies Line<M>)}\n`;
  }

  async #append(keys: readonly string[]): Promise<void> {
    const lines = this.#lines ?? 0;
    // Until it has gone well: a half of it may be there.
    this.#lines = undefined;
    await writeTo(this.#path, "a", keys.map((key) => this.#lineOf(key)).join(""));
    this.#lines = lines + keys.length;
  }

  async #replace(): Promise<void> {
    this.#lines = undefined;
    const keys = [...this.#marks.keys()];
    const folder = resolve(dirname(this.#path));
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeTo(`${this.#path}.new`, "w", `${JSON.stringify({ format: FORMAT } satisfies Head<M>)}\n${keys.map((key) => this.#lineOf(key)).join("")}`);
    await rename(`${this.#path}.new`, this.#path);
    // Else a power cut brings the file of before back, without what is promised now.
    await syncFolder(folder);
    if (made !== undefined) for (let at = folder; at !== dirname(made); await syncFolder(at)) at = dirname(at);
    this.#lines = keys.length;
  }
}

async function writeTo(path: string, flags: "a" | "w", text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

function marksOf<M>(path: string, text: string): Map<string, M> {
  const [first = "", ...lines] = text.split("\n");
  const { format, marks } = JSON.parse(first) as Head<M>;
  if (format === 1) return new Map(Object.entries(marks ?? {}));
  if (format !== FORMAT) throw new Error(`${path} has format ${format}, and ${FORMAT} is read here`);
  const read = new Map<string, M>();
  for (const line of lines.slice(0, -1)) {
    const change = changeIn<M>(line);
    if (change === undefined) break;
    const [key, mark] = change;
    if (mark === undefined) read.delete(key);
    else read.set(key, mark);
  }
  return read;
}

/** Undefined: the power went while it was written, and with it all behind it. */
function changeIn<M>(line: string): Line<M> | undefined {
  try {
    return JSON.parse(line) as Line<M>;
  } catch {
    return undefined;
  }
}

const ENDING = ".marks";

/** A file an owner, in a folder that is made with the first mark. */
export class MarksFolder<M> implements MarksShelf<M> {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(owner: string): Promise<Marks<M>> {
    return MarksFile.open<M>(this.#pathOf(owner));
  }

  async remove(owner: string): Promise<void> {
    await rm(this.#pathOf(owner), { force: true });
  }

  async owners(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
  }

  #pathOf(owner: string): string {
    return join(this.#folder, `${owner}${ENDING}`);
  }
}
