// Cursors and streams as the log's frames hold them.
import type { CursorEntry, CursorState } from "./cursor.ts";

const ENTRY_BYTES = 20;

export interface CursorFrame extends CursorState {
  readonly id: number;
  readonly name: string;
  /** It is no more. */
  readonly removed: boolean;
}

/** `u32 id · u8 flags · u16 length of the name · f64 next · u32 entries · name · entries (f64 offset, u32 attempt, f64 due or NaN)` */
export function encodeCursor({ id, name, removed, next, entries, whole }: CursorFrame): Buffer {
  const nameBytes = Buffer.byteLength(name);
  const octets = Buffer.allocUnsafe(19 + nameBytes + entries.length * ENTRY_BYTES);
  octets.writeUInt32LE(id, 0);
  octets[4] = (whole ? 1 : 0) | (removed ? 2 : 0);
  octets.writeUInt16LE(nameBytes, 5);
  octets.writeDoubleLE(next, 7);
  octets.writeUInt32LE(entries.length, 15);
  octets.write(name, 19);
  let at = 19 + nameBytes;
  for (const { offset, attempt, dueMs } of entries) {
    octets.writeDoubleLE(offset, at);
    octets.writeUInt32LE(attempt, at + 8);
    octets.writeDoubleLE(dueMs ?? NaN, at + 12);
    at += ENTRY_BYTES;
  }
  return octets;
}

export function decodeCursor(from: Uint8Array): CursorFrame {
  const octets = Buffer.from(from.buffer, from.byteOffset, from.length);
  const nameEnd = 19 + octets.readUInt16LE(5);
  const flags = octets[4] ?? 0;
  const entries: CursorEntry[] = [];
  for (let index = 0, at = nameEnd; index < octets.readUInt32LE(15); index++, at += ENTRY_BYTES) {
    const dueMs = octets.readDoubleLE(at + 12);
    entries.push({ offset: octets.readDoubleLE(at), attempt: octets.readUInt32LE(at + 8), dueMs: Number.isNaN(dueMs) ? undefined : dueMs });
  }
  return {
    id: octets.readUInt32LE(0),
    name: octets.toString("utf8", 19, nameEnd),
    removed: (flags & 2) !== 0,
    whole: (flags & 1) !== 0,
    next: octets.readDoubleLE(7),
    entries,
  };
}
