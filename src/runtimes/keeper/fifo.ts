// FIFOs between the platform and processes of the keeper: real pipes, which programs can open again by /dev/stdout.
import { execFile } from "node:child_process";
import { chownSync, closeSync, constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { promisify } from "node:util";

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const run = promisify(execFile);

/** Makes FIFOs for us and, where pods have users of their own, for theirs. */
export async function makeFifos(paths: readonly string[], user?: { readonly uid: number; readonly gid: number }): Promise<void> {
  await run("mkfifo", ["-m", "600", ...paths]);
  if (user !== undefined) for (const path of paths) chownSync(path, user.uid, user.gid);
}

/** Our end of a FIFO: open before the process starts, used once it has, or given up. */
export interface FifoEnd<T> {
  use(): T;
  abandon(): void;
}

/** We read what a process writes. */
export function readingEnd(path: string): FifoEnd<Socket> {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK);
  return {
    use: () => new Socket({ fd, readable: true, writable: false }),
    abandon: () => closeSync(fd),
  };
}

/** We write what a process reads; the end of the stream is the end of its input. */
export function writingEnd(path: string): FifoEnd<Writable> {
  // Both sides: the process can open its own, and ours opens without it.
  const both = openSync(path, O_RDWR | O_NONBLOCK);
  return {
    use() {
      const fd = openSync(path, O_WRONLY | O_NONBLOCK);
      closeSync(both);
      return endingByClose(new Socket({ fd, readable: false, writable: true }));
    },
    abandon: () => closeSync(both),
  };
}

/** A FIFO has no end but its closing. */
function endingByClose(pipe: Socket): Writable {
  const input = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => void pipe.write(chunk, done),
    final(done) {
      pipe.destroy();
      done();
    },
    destroy(error, done) {
      pipe.destroy();
      done(error);
    },
  });
  pipe.on("error", (error) => input.destroy(error));
  return input;
}

/** Nobody else may open them; those who have them go on. */
export function removeFifos(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      unlinkSync(path);
    } catch {
      // It was never made.
    }
  }
}
