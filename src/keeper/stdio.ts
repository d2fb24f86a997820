// What a process reads from and writes to: its output file, or FIFOs whose other sides the platform holds.
import { closeSync, constants, openSync, statSync } from "node:fs";
import type { ProcessSpec } from "#protocol";

const { O_RDONLY, O_RDWR, O_WRONLY } = constants;

export interface Stdio {
  readonly input: number | undefined;
  readonly output: number;
  readonly error: number | undefined;
  /** For this process: the child has its own by then. */
  close(): void;
}

/** Throws when one of them cannot be opened; never waits for another process. */
export function openStdio({ outputFile, input, errorFifo }: Pick<ProcessSpec, "outputFile" | "input" | "errorFifo">): Stdio {
  const opened: number[] = [];
  const kept = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  const close = (): void => opened.forEach((fd) => closeSync(fd));
  try {
    return {
      input: input === undefined ? undefined : kept(input.endless ? openSync(input.fifo, O_RDWR) : openFifo(input.fifo, O_RDONLY)),
      output: kept(openOutput(outputFile)),
      error: errorFifo === undefined ? undefined : kept(openFifo(errorFifo, O_WRONLY)),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** A file is made when it is not there; a FIFO is there. */
function openOutput(path: string): number {
  return isFifo(path) ? openFifo(path, O_WRONLY) : openSync(path, "a", 0o640);
}

function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** Opening one side waits for the other; with both sides open for a moment it does not, even when the platform has just died. */
function openFifo(path: string, flags: number): number {
  const both = openSync(path, O_RDWR);
  try {
    return openSync(path, flags);
  } finally {
    closeSync(both);
  }
}
