// The newest octets of the log in memory: what waits for the disk, and behind it what readers at the head read without one.
import { assert } from "#core";
import { encodeFrame, frameLength, type FrameParts } from "./frame.ts";

/** Room for some hundred small records; a longer record has a block of its own. */
const BLOCK_BYTES = 256 << 10;

/** Octets of a block do not change once they are written, so that views of them may be handed out. */
interface Block {
  readonly base: number;
  readonly octets: Buffer;
  /** What it takes of memory. */
  readonly bytes: number;
  used: number;
}

export class Blocks {
  #blocks: Block[] = [];
  #position: number;
  #bytes = 0;
  readonly #keepBytes: number;

  constructor(position: number, keepBytes: number) {
    this.#position = position;
    this.#keepBytes = keepBytes;
  }

  /** Where the next frame goes. */
  get position(): number {
    return this.#position;
  }

  /** Of the oldest octet in memory; the position when there is none. */
  get first(): number {
    return this.#blocks[0]?.base ?? this.#position;
  }

  /** Puts a frame behind all others; its offset. */
  append(parts: Omit<FrameParts, "offset">): number {
    const offset = this.#position;
    const length = frameLength(parts);
    let block = this.#blocks.at(-1);
    if (block === undefined || block.octets.length - block.used < length) block = this.#begin(offset, length);
    block.used = encodeFrame(block.octets, block.used, { ...parts, offset });
    this.#position = offset + length;
    return offset;
  }

  #begin(base: number, length: number): Block {
    const bytes = Math.max(BLOCK_BYTES, length);
    const block = { base, octets: Buffer.allocUnsafeSlow(bytes), bytes, used: 0 };
    this.#blocks.push(block);
    this.#bytes += bytes;
    return block;
  }

  /** The octets from one frame's beginning to another's, in pieces. */
  slices(from: number, to: number): Buffer[] {
    const slices: Buffer[] = [];
    for (const { base, octets, used } of this.#blocks) {
      if (base + used <= from || base >= to) continue;
      slices.push(octets.subarray(Math.max(0, from - base), Math.min(used, to - base)));
    }
    return slices;
  }

  /** The rest of the block that holds this offset; undefined when it is in memory no longer. */
  at(offset: number): Buffer | undefined {
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index];
      if (block !== undefined && block.base <= offset)
        return offset < block.base + block.used ? block.octets.subarray(offset - block.base, block.used) : undefined;
    }
    return undefined;
  }

  /** Lets the oldest blocks go, but none that holds anything from `pinned` on. */
  trim(pinned: number): void {
    let gone = 0;
    for (const { base, bytes, used } of this.#blocks) {
      if (this.#bytes <= this.#keepBytes || base + used > pinned || gone === this.#blocks.length - 1) break;
      this.#bytes -= bytes;
      gone++;
    }
    if (gone > 0) this.#blocks.splice(0, gone);
  }

  /** Forgets everything from here on: it was never acknowledged, and its place is used again. */
  rewind(to: number): void {
    assert(to <= this.#position, "the log goes back, not forward");
    while ((this.#blocks.at(-1)?.base ?? -1) >= to) this.#bytes -= this.#blocks.pop()?.bytes ?? 0;
    // What follows goes into a block of its own: readers may hold views of this one.
    const last = this.#blocks.pop();
    if (last !== undefined) {
      const used = Math.min(last.used, to - last.base);
      this.#blocks.push({ ...last, octets: last.octets.subarray(0, used), used });
    }
    this.#position = to;
  }
}
