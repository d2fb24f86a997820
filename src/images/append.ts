// Bytes from a stream onto the end of a file, in large pieces, hashed on the way.
import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { ImageError, spaceError } from "./image-error.ts";

/** So much is gathered before it is written. */
const PIECE_BYTES = 1 << 20;

export interface AppendOptions {
  /** More than this is refused before it is written. */
  readonly bytesMax?: number;
  /** Gets every byte that comes; of no use any more once a write has failed. */
  readonly hash?: Hash | undefined;
  /** What it is that is written, for messages. */
  readonly what: string;
  /** Asked before each piece: throws when it may not be written. */
  readonly mayGrow?: (bytes: number) => void;
}

/**
 * Answers how many bytes were appended. When the stream fails, what came before is written all the same, and `error` says what
 * happened; a write that fails leaves the file as long as it was before that piece, and is thrown as ImageError `NoSpace`.
 */
export async function appendStream(
  handle: FileHandle,
  stream: AsyncIterable<Uint8Array>,
  { bytesMax = Number.MAX_SAFE_INTEGER, hash, what, mayGrow }: AppendOptions,
): Promise<{ readonly bytes: number; readonly error?: unknown }> {
  let position = (await handle.stat()).size;
  let bytes = 0;
  let piece: Uint8Array[] = [];
  let pieceBytes = 0;
  const write = async (): Promise<void> => {
    if (pieceBytes === 0) return;
    mayGrow?.(pieceBytes);
    await writePiece(handle, { piece, position, what });
    position += pieceBytes;
    bytes += pieceBytes;
    piece = [];
    pieceBytes = 0;
  };
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => ({ failed: error }));
    if ("failed" in next) {
      await write();
      return { bytes, error: next.failed };
    }
    if (next.done === true) break;
    if (bytes + pieceBytes + next.value.length > bytesMax)
      throw new ImageError("WrongContent", `${what} is larger than the ${bytesMax} bytes that were announced`);
    // Now and not with the piece: a megabyte at once would hold up the loop.
    hash?.update(next.value);
    piece.push(next.value);
    pieceBytes += next.value.length;
    if (pieceBytes >= PIECE_BYTES) await write();
  }
  await write();
  return { bytes };
}

async function writePiece(
  handle: FileHandle,
  { piece, position, what }: { readonly piece: readonly Uint8Array[]; readonly position: number; readonly what: string },
): Promise<void> {
  // A short write is not an error for the kernel: the next one says what is wrong.
  let rest = Buffer.concat(piece);
  let at = position;
  try {
    while (rest.length > 0) {
      const { bytesWritten } = await handle.write(rest, 0, rest.length, at);
      at += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  } catch (error) {
    await handle.truncate(position).catch(() => undefined);
    throw spaceError(error, what);
  }
}
