// Octets of a response on their way to the client.
import type { ClientSide } from "./client-side.ts";
import type { Chunk } from "../pods/pod-connection.ts";
import { STREAM_BYTES } from "../sockets/read-buffers.ts";

/** Sends what a pod's connection has read: small parts as text, which copies them; false when to wait for `clientDrained`. */
export function relay(client: ClientSide, { bytes, from, to, release }: Chunk): boolean {
  if (release !== undefined) return client.write(bytes.subarray(from, to), release);
  if (to - from >= STREAM_BYTES) return client.write(Buffer.from(bytes.subarray(from, to)));
  return to === from || client.write(bytes.toString("latin1", from, to));
}
