// What the log knows beside its records: streams and cursors. Each segment begins with all of it, frames behind that change it.
import { decodeCursor, encodeCursor } from "./cursor-codec.ts";
import { Cursor } from "./cursor.ts";
import { FRAME_KINDS, NO_KEYS, type Frame, type FrameParts } from "./frame.ts";

export type AtLimit = "refuse" | "dropOldest";

export interface StreamState {
  readonly id: number;
  readonly name: string;
  /** What happens when the log is full of what is not finished. */
  atLimit: AtLimit;
  /** Offset of its newest record; -1 before the first. */
  last: number;
  /** Records that were dropped before everybody was done with them. */
  dropped: number;
  removed: boolean;
  readonly cursors: Map<string, Cursor>;
}

type Part = Omit<FrameParts, "offset">;

export class State {
  readonly streams = new Map<number, StreamState>();
  readonly cursors = new Map<number, Cursor>();
  readonly #byName = new Map<string, StreamState>();
  readonly #onChange: (cursor: Cursor) => void;
  #streamId = 0;
  #cursorId = 0;

  constructor(onChange: (cursor: Cursor) => void) {
    this.#onChange = onChange;
  }

  named(name: string): StreamState | undefined {
    return this.#byName.get(name);
  }

  addStream(name: string, atLimit: AtLimit): StreamState {
    return this.#keepStream({ id: this.#streamId + 1, name, atLimit, last: -1, dropped: 0, removed: false, cursors: new Map() });
  }

  #keepStream(stream: StreamState): StreamState {
    this.#streamId = Math.max(this.#streamId, stream.id);
    this.streams.set(stream.id, stream);
    this.#byName.set(stream.name, stream);
    return stream;
  }

  /** Its cursors go, too; its records are nobody's from now on. */
  removeStream(stream: StreamState): void {
    stream.removed = true;
    for (const cursor of stream.cursors.values()) this.cursors.delete(cursor.id);
    stream.cursors.clear();
    this.streams.delete(stream.id);
    if (this.#byName.get(stream.name) === stream) this.#byName.delete(stream.name);
  }

  addCursor(stream: StreamState, name: string, next: number): Cursor {
    return this.#keepCursor(stream, new Cursor({ id: this.#cursorId + 1, stream: stream.id, name, next }, this.#onChange));
  }

  #keepCursor(stream: StreamState, cursor: Cursor): Cursor {
    this.#cursorId = Math.max(this.#cursorId, cursor.id);
    this.cursors.set(cursor.id, cursor);
    stream.cursors.set(cursor.name, cursor);
    return cursor;
  }

  removeCursor(cursor: Cursor): void {
    this.cursors.delete(cursor.id);
    this.streams.get(cursor.stream)?.cursors.delete(cursor.name);
  }

  /** Takes a frame of the log over, in order. */
  apply({ kind, stream, offset, value }: Frame): void {
    if (kind === FRAME_KINDS.stream) this.#applyStream(stream, value);
    else if (kind === FRAME_KINDS.cursor) this.#applyCursor(stream, value);
    else if (kind === FRAME_KINDS.record) {
      const of = this.streams.get(stream);
      if (of !== undefined && offset > of.last) of.last = offset;
    }
  }

  #applyStream(id: number, value: Uint8Array): void {
    this.#streamId = Math.max(this.#streamId, id);
    const read = JSON.parse(Buffer.from(value).toString()) as Omit<StreamState, "id" | "cursors"> & { readonly ids?: readonly [number, number] };
    if (read.ids !== undefined) [this.#streamId, this.#cursorId] = [Math.max(this.#streamId, read.ids[0]), Math.max(this.#cursorId, read.ids[1])];
    const known = this.streams.get(id);
    if (known !== undefined && read.removed) this.removeStream(known);
    else if (known !== undefined) Object.assign(known, { atLimit: read.atLimit, dropped: read.dropped, last: Math.max(known.last, read.last) });
    else if (!read.removed)
      this.#keepStream({ id, name: read.name, atLimit: read.atLimit, last: read.last, dropped: read.dropped, removed: false, cursors: new Map() });
  }

  #applyCursor(streamId: number, value: Uint8Array): void {
    const frame = decodeCursor(value);
    this.#cursorId = Math.max(this.#cursorId, frame.id);
    const stream = this.streams.get(streamId);
    const known = this.cursors.get(frame.id);
    if (stream === undefined) return;
    if (frame.removed) {
      if (known !== undefined) this.removeCursor(known);
      return;
    }
    const cursor = known ?? this.#keepCursor(stream, new Cursor({ id: frame.id, stream: streamId, name: frame.name, next: frame.next }, this.#onChange));
    cursor.restore(frame);
  }

  streamFrame({ id, name, atLimit, last, dropped, removed }: StreamState, timeMs: number): Part {
    const value = Buffer.from(JSON.stringify({ name, atLimit, last, dropped, removed, ids: [this.#streamId, this.#cursorId] }));
    return { kind: FRAME_KINDS.stream, stream: id, timeMs, keys: NO_KEYS, value };
  }

  /** All of a cursor, or what changed since it was written last. */
  cursorFrame(cursor: Cursor, whole: boolean, timeMs: number): Part {
    const { id, stream, name } = cursor;
    const removed = this.cursors.get(id) !== cursor;
    const value = encodeCursor({ id, name, removed, ...(whole ? cursor.whole() : cursor.changes()) });
    return { kind: FRAME_KINDS.cursor, stream, timeMs, keys: NO_KEYS, value };
  }

  /** Everything, as a new segment begins with it. */
  *frames(timeMs: number): Generator<Part> {
    for (const stream of this.streams.values()) yield this.streamFrame(stream, timeMs);
    for (const cursor of this.cursors.values()) yield this.cursorFrame(cursor, true, timeMs);
  }
}
