// The input of containers with `stdin: true`: a FIFO each, which whoever attaches writes to.
//
//   stdin                never at its end: the process holds both sides, and so it outlives the platform
//   stdin and stdinOnce  ends with the first who attaches; until then we hold the writing side, and its end is ours, too
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import type { CoreContainer } from "#kinds";
import type { ProcessInput } from "#protocol";
import { makeFifos, removeFifos, writingEnd, type FifoEnd } from "./fifo.ts";

export class ContainerInputs {
  readonly #fifoOf: (container: string) => string;
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
    return { fifo, endless: stdinOnce !== true };
  }

  /** Undefined when the container has no input, or no more. One that never ends can be opened by the platform after the next, too. */
  open({ name, stdin, stdinOnce }: CoreContainer): Writable | undefined {
    const once = this.#once.get(name);
    this.#once.delete(name);
    const fifo = this.#fifoOf(name);
    return once?.use() ?? (stdin === true && stdinOnce !== true && existsSync(fifo) ? writingEnd(fifo).use() : undefined);
  }

  /** Lets go of those that nobody has attached to. */
  close(): void {
    for (const end of this.#once.values()) end.abandon();
    this.#once.clear();
  }
}
