// Reading from accepted sockets into buffers of ours.
import type { Socket } from "node:net";

export interface BufferedReader {
  /** The buffer for the next read, when it is another than before. */
  nextBuffer(): Buffer | undefined;
  /** `count` octets were read into `buffer`. */
  read(count: number, buffer: Buffer): void;
}

type Slots = Readonly<Record<"kBuffer" | "kBufferGen" | "kBufferCb", symbol>>;

/** Where Node keeps what `onread` was given. */
function slotsOf(socket: Socket): Slots | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const of = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [kBuffer, kBufferGen, kBufferCb] = [of("kBuffer"), of("kBufferGen"), of("kBufferCb")];
  return kBuffer === undefined || kBufferGen === undefined || kBufferCb === undefined ? undefined : { kBuffer, kBufferGen, kBufferCb };
}

/**
 * Reads `socket`, which was accepted and has read nothing yet. Node has the option `onread` for connections that it makes, not for
 * those that it accepts, so what that option sets is set here, which is undocumented (decision 28). Where this Node is built in another
 * way, reads come in buffers of their own, which costs more and is no different otherwise. True when the buffers are ours.
 */
export function readInto(socket: Socket, reader: BufferedReader, first: Buffer): boolean {
  const slots = slotsOf(socket);
  const inside = socket as unknown as Record<symbol | "_handle", unknown>;
  const handle = inside["_handle"] as { readonly useUserBuffer?: (buffer: Buffer) => void } | null | undefined;
  if (slots === undefined || typeof handle?.useUserBuffer !== "function") {
    socket.on("data", (bytes: Buffer) => reader.read(bytes.length, bytes));
    return false;
  }
  inside[slots.kBuffer] = first;
  inside[slots.kBufferGen] = () => reader.nextBuffer();
  inside[slots.kBufferCb] = (count: number, buffer: Buffer) => {
    reader.read(count, buffer);
    return true;
  };
  handle.useUserBuffer(first);
  return true;
}
