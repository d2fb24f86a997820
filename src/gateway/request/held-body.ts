// The part of a request's body that waits for a pod, or is kept for another attempt.
import type { PodConnection } from "../pods/pod-connection.ts";
import { STREAM_BYTES } from "../sockets/read-buffers.ts";

/** Body bytes that wait for a pod, or are kept for another attempt. */
const BODY_HELD_BYTES = 64 * 1024;

export class HeldBody {
  size: number;
  readonly #first: Buffer;
  #more: Buffer[] | undefined;

  constructor(first: Buffer) {
    this.#first = first;
    this.size = first.length;
  }

  get full(): boolean {
    return this.size > BODY_HELD_BYTES;
  }

  add(bytes: Buffer): void {
    (this.#more ??= []).push(bytes);
    this.size += bytes.length;
  }

  /** Writes `head` and the body; small ones as one text, so that they reach the pod in one piece. False when to wait for `podDrained`. */
  sendBehind(head: string, connection: PodConnection): boolean {
    const more = this.#more;
    if (this.size < STREAM_BYTES) {
      const text = head + this.#first.toString("latin1", 0, this.#first.length);
      return connection.write(more === undefined ? text : more.reduce((before, bytes) => before + bytes.toString("latin1", 0, bytes.length), text));
    }
    let room = true;
    connection.cork(() => {
      connection.write(head);
      room = connection.write(this.#first);
      for (const bytes of more ?? []) room = connection.write(bytes);
    });
    return room;
  }
}
