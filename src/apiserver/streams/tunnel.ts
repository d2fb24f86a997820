// A byte stream inside of a websocket: the binary messages in a row, wherever they are cut.
import { Duplex } from "node:stream";
import type { Clock } from "#core";
import { Feed, KEPT_BYTES_MAX } from "./inlet.ts";
import { WebSocketError, CLOSE_CODES } from "./websocket-frames.ts";
import { WebSocketConnection } from "./websocket.ts";

export class WebSocketTunnel extends Duplex {
  readonly #socket: WebSocketConnection;
  readonly #connection: Duplex;
  readonly #feed = new Feed(this);

  constructor(connection: Duplex, clock: Clock) {
    super({ readableHighWaterMark: KEPT_BYTES_MAX, allowHalfOpen: true });
    this.#connection = connection;
    this.#socket = new WebSocketConnection(connection, clock);
    this.on("error", () => undefined);
    void this.#receive();
  }

  override _read(): void {
    this.#feed.more();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#socket.send("binary", chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.#socket.close(CLOSE_CODES.normal).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#feed.more();
    this.#connection.destroy();
    done(error);
  }

  async #receive(): Promise<void> {
    try {
      for await (const { text, bytes } of this.#socket.incoming()) {
        if (text) throw new WebSocketError(CLOSE_CODES.protocolError, "a tunnel has binary messages only");
        await this.#feed.give(bytes);
      }
      this.#feed.finish();
    } catch (error) {
      if (error instanceof WebSocketError) await this.#socket.close(error.code, error.message);
      this.destroy(error as Error);
    }
  }
}
