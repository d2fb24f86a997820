// Docker's framing of output without a terminal: eight bytes of head (1 stdout, 2 stderr; length, big endian), then the bytes.
import { Transform, type Readable, type TransformCallback } from "node:stream";

const HEAD_BYTES = 8;
const STDERR = 2;

export interface OutputFrame {
  readonly stderr: boolean;
  readonly bytes: Buffer;
}

/** A frame longer than that is no frame: we read something else. */
const FRAME_BYTES_MAX = 16 << 20;

/** Cuts a stream of bytes into frames, whole, however the bytes come. */
export class FrameSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  #wanted = HEAD_BYTES;
  #head: Buffer | undefined;

  /** Throws a RangeError for what cannot be a frame. */
  *push(chunk: Buffer): Generator<OutputFrame, void, void> {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#wanted) {
      const whole = Buffer.concat(this.#parts, this.#bytes);
      const taken = whole.subarray(0, this.#wanted);
      this.#parts = [whole.subarray(this.#wanted)];
      this.#bytes -= this.#wanted;
      if (this.#head === undefined) {
        this.#head = taken;
        this.#wanted = taken.readUInt32BE(4);
        if (this.#wanted > FRAME_BYTES_MAX) throw new RangeError(`a frame of output of ${this.#wanted} bytes`);
      } else {
        const stderr = this.#head[0] === STDERR;
        this.#head = undefined;
        this.#wanted = HEAD_BYTES;
        yield { stderr, bytes: taken };
      }
    }
  }
}

/** Both streams of a command, from one connection. A reader that stands still holds up the other one, and the command. */
export function splitOutput(source: Readable): { readonly stdout: Readable; readonly stderr: Readable } {
  const stdout = through();
  const stderr = through();
  const frames = new FrameSplitter();
  const pump = async (): Promise<void> => {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      for (const frame of frames.push(chunk)) await write(frame.stderr ? stderr : stdout, frame.bytes);
    }
  };
  void pump().then(
    () => [stdout, stderr].forEach((each) => each.end()),
    (error: unknown) => [stdout, stderr].forEach((each) => each.destroy(error as Error)),
  );
  return { stdout, stderr };
}

function through(): Transform {
  const stream = new Transform({ transform: (chunk: Buffer, _encoding, done: TransformCallback) => done(null, chunk) });
  // Whoever reads is told by the stream's end, too.
  stream.on("error", () => undefined);
  return stream;
}

function write(stream: Transform, bytes: Buffer): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("close", done);
      resolve();
    };
    stream.once("close", done);
    stream.write(bytes, done);
  });
}
