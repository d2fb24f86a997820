// Frames of any kind and stream between two places, a read at a time: for whoever looks through the log rather than follows it.
import { decodeFrame, type Frame } from "./frame.ts";
import type { Journal } from "./journal.ts";

const READ_BYTES = 256 << 10;

/** The frames from the beginning of one up to `to`, within one segment. What cannot be read ends it, and is told; what was given is valid until the next is asked for. */
export async function* framesBetween(journal: Journal, from: number, to: number): AsyncGenerator<readonly Frame[]> {
  for (let at = from; at < to;) {
    const frames = framesOf(await journal.octets(at, READ_BYTES), at, to);
    if (frames.length === 0) {
      const long = await journal.frameAt(at);
      if (long === undefined) {
        journal.behindDamage(at);
        return;
      }
      frames.push(long);
    }
    yield frames;
    at = frames.at(-1)?.end ?? to;
  }
}

function framesOf(octets: Buffer, from: number, to: number): Frame[] {
  const frames: Frame[] = [];
  for (let at = from; at < to;) {
    const frame = decodeFrame(octets, at - from, at);
    if (frame === undefined || "short" in frame) break;
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}
