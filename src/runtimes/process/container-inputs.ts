// The input of containers with `stdin: true`: a FIFO each, which whoever attaches writes to.
//
//   stdin                never at its end: the process holds both sides, and so it outlives the platform
//   stdin and stdinOnce  ends with the first who attaches; until then we hold the writing side, and its end is ours, too
import type { Writable } from "node:stream";
import type { CoreContainer } from "#kinds";
import type { ProcessInput } from "#protocol";
import { makeFifos, removeFifos, writingEnd, type FifoEnd } from "./fifo.ts";

export class ContainerInputs {
  readonly #fifoOf: (container: string) => string;
  readonly #endless = new Set<string>();
  /** Held until somebody attaches. */
  readonly #once = new Map<string, FifoEnd<Writable>>();

  constructor(fifoOf: (container: string) => string) {
    this.#fifoOf = fifoOf;
  }

  /** A new FIFO for a start of the container; undefined when it asks for none. */
  async make({ name, stdin, stdinOnce }: CoreContainer, user?: { readonly uid: number; readonly gid: number }): Promise<ProcessInput | undefined> {
    this.#once.get(name)?.abandon();
    this.#once.delete(name);
    if (stdin !== true) return undefined;
    const fifo = this.#fifoOf(name);
    removeFifos([fifo]);
    await makeFifos([fifo], user);
    if (stdinOnce === true) this.#once.set(name, writingEnd(fifo));
    else this.#endless.add(name);
    return { fifo, endless: stdinOnce !== true };
  }

  /** Undefined when the container has no input, or no more. */
  open(container: string): Writable | undefined {
    const once = this.#once.get(container);
    this.#once.delete(container);
    return once?.use() ?? (this.#endless.has(container) ? writingEnd(this.#fifoOf(container)).use() : undefined);
  }
}
