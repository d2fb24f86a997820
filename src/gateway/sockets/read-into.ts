// Reading from sockets into buffers of ours, past Node's streams.
import type { Socket } from "node:net";

export interface BufferedReader {
  /** What the next read goes to. */
  readonly buffer: Buffer;
  /** `count` octets were read into `buffer`. */
  read(count: number, buffer: Buffer): void;
  /** The buffer for the next read, when it is another than before: handing over the same one each time costs. */
  nextBuffer(): Buffer | undefined;
}

const READER = Symbol("reader");
const STREAM = Symbol("stream");

/** What the system calls after a read, and at the end; the buffer that it answers is the next. */
type OnRead = (this: Handle, data: unknown) => Buffer | undefined;

/** The system's side of a socket. */
interface Handle {
  onread?: OnRead;
  readonly useUserBuffer?: (buffer: Buffer) => void;
  [READER]?: BufferedReader;
  /** What tells the stream. */
  [STREAM]?: OnRead;
}

type Slots = Readonly<Record<"kBuffer" | "kBufferGen" | "kBufferCb", symbol>>;

let known: Slots | undefined;

/** Where Node keeps what its option `onread` was given; the same for all sockets. */
function slotsOf(socket: Socket): Slots | undefined {
  known ??= slotsIn(socket);
  return known;
}

function slotsIn(socket: Socket): Slots | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const of = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [kBuffer, kBufferGen, kBufferCb] = [of("kBuffer"), of("kBufferGen"), of("kBufferCb")];
  return kBuffer === undefined || kBufferGen === undefined || kBufferCb === undefined ? undefined : { kBuffer, kBufferGen, kBufferCb };
}

/**
 * Reads `socket`, which was accepted or connects, and has read nothing yet. Node has the option `onread` for connections that it makes, not
 * for those that it accepts, so what that option sets is set here, which is undocumented (decision 28). Where this Node is built in another
 * way, reads come in buffers of their own, which costs more and is no different otherwise. True when the buffers are ours.
 */
export function readInto(socket: Socket, reader: BufferedReader): boolean {
  const inside = socket as unknown as Record<symbol | "_handle", unknown>;
  const handle = inside["_handle"] as Handle | null | undefined;
  const slots = handle === null || handle === undefined ? undefined : slotsOf(socket);
  if (slots === undefined || typeof handle?.useUserBuffer !== "function") {
    socket.on("data", (bytes: Buffer) => reader.read(bytes.length, bytes));
    return false;
  }
  // By this the stream knows that reading is to stop and go on with the handle.
  inside[slots.kBuffer] = reader.buffer;
  handle.useUserBuffer(reader.buffer);
  if (readPast(handle, reader)) return true;
  inside[slots.kBufferGen] = () => reader.nextBuffer() ?? reader.buffer;
  inside[slots.kBufferCb] = (count: number, buffer: Buffer) => {
    reader.read(count, buffer);
    return true;
  };
  return true;
}

interface Told {
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
}

/** Where Node says how much was read; undefined where it is built in another way. */
const told: Told | undefined = (() => {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<Told> };
  try {
    const { streamBaseState, kReadBytesOrError } = binding?.("stream_wrap") ?? {};
    return streamBaseState instanceof Int32Array && typeof kReadBytesOrError === "number" ? { streamBaseState, kReadBytesOrError } : undefined;
  } catch {
    return undefined;
  }
})();

/**
 * From now on reads are told to the reader alone: of the many things that Node keeps of a socket none is in the cache when its turn comes. Ends
 * and errors are the stream's. False where it cannot be done: there Node tells the stream of each read, which tells the reader.
 */
function readPast(handle: Handle, reader: BufferedReader): boolean {
  if (told === undefined || typeof handle.onread !== "function") return false;
  handle[READER] = reader;
  handle[STREAM] = handle.onread;
  handle.onread = onRead;
  return true;
}

const state = told?.streamBaseState ?? new Int32Array(1);
const at = told?.kReadBytesOrError ?? 0;

/** One for all sockets. */
const onRead: OnRead = function (data) {
  const count = state[at] ?? 0;
  const reader = this[READER];
  if (count <= 0 || reader === undefined) return this[STREAM]?.call(this, data);
  reader.read(count, reader.buffer);
  return reader.nextBuffer();
};
