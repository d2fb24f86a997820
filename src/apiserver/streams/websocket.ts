// A websocket over a connection that was taken over: the handshake, pings, closing, and messages with back-pressure.
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { badRequest, StatusError, type Clock } from "#core";
import type { ApiRequest, ApiResponse } from "../port.ts";
import { linger } from "./idle.ts";
import { write } from "./inlet.ts";
import { CLOSE_CODES, encodeClose, encodeFrame, OPCODES, WebSocketError, WebSocketReader, type WebSocketEvent } from "./websocket-frames.ts";

export type WebSocketData = Extract<WebSocketEvent, { readonly type: "data" }>;
type Head = Pick<ApiRequest, "method" | "headers">;

/** RFC 6455, 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The values of a header that is a list. */
export function listed(header: string | undefined): string[] {
  return (header ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

/** Whether the client wants another protocol on this connection. */
export function wantsUpgrade({ headers }: Pick<ApiRequest, "headers">): boolean {
  return (headers["connection"] ?? "").toLowerCase().includes("upgrade") && headers["upgrade"] !== undefined;
}

export function isWebSocketRequest(request: Head): boolean {
  return request.method === "GET" && wantsUpgrade(request) && request.headers["upgrade"]?.toLowerCase() === "websocket";
}

/** The first subprotocol of the client's list that is offered; "" stands for none asked for. Throws 403 when there is none in common. */
export function subprotocol({ headers }: Pick<ApiRequest, "headers">, offered: readonly string[]): string {
  const asked = listed(headers["sec-websocket-protocol"]);
  const found = (asked.length === 0 ? [""] : asked).find((each) => offered.includes(each));
  if (found !== undefined) return found;
  throw new StatusError("Forbidden", `requested protocol(s) are not supported: [${asked.join(" ")}]; supports [${offered.join(" ")}]`, { details: {} });
}

/** The 101 that begins the websocket. Throws BadRequest for a handshake that is none. */
export function switchToWebSocket({ headers }: Pick<ApiRequest, "headers">, protocol: string, takeOver: NonNullable<ApiResponse["takeOver"]>): ApiResponse {
  if (headers["sec-websocket-version"] !== "13") throw badRequest("unable to upgrade: the Sec-WebSocket-Version has to be 13");
  const key = headers["sec-websocket-key"] ?? "";
  if (Buffer.from(key, "base64").length !== 16) throw badRequest("unable to upgrade: the Sec-WebSocket-Key is missing or is not 16 bytes in base64");
  const accept = createHash("sha1").update(`${key}${KEY_SUFFIX}`).digest("base64");
  const chosen = protocol === "" ? {} : { "sec-websocket-protocol": protocol };
  return { status: 101, headers: { upgrade: "websocket", connection: "Upgrade", "sec-websocket-accept": accept, ...chosen }, body: "", takeOver };
}

export class WebSocketConnection {
  readonly #connection: Duplex;
  readonly #clock: Clock;
  readonly #ponged = Promise.withResolvers<void>();
  #closed = false;

  constructor(connection: Duplex, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Resolves with the first answer to a ping: the client reads. */
  get ponged(): Promise<void> {
    return this.#ponged.promise;
  }

  /** Data until the client closes or goes. Pings are answered. What is malformed closes the connection with the code for it and throws. */
  async *incoming(): AsyncGenerator<WebSocketData, void, void> {
    const reader = new WebSocketReader();
    try {
      for await (const chunk of this.#connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        for (const event of reader.push(chunk)) {
          if (event.type === "data") yield event;
          else if (event.type === "ping") await this.#write(encodeFrame(OPCODES.pong, event.bytes));
          else if (event.type === "pong") this.#ponged.resolve();
          else if (event.type === "close") return await this.close(event.code === CLOSE_CODES.noStatus ? CLOSE_CODES.normal : event.code);
        }
      }
    } catch (error) {
      if (error instanceof WebSocketError) await this.close(error.code, error.message);
      throw error;
    }
  }

  /** A whole message. Rejects when the client has gone. */
  send(kind: "text" | "binary", bytes: Uint8Array): Promise<void> {
    return this.#write(encodeFrame(OPCODES[kind], bytes));
  }

  ping(): Promise<void> {
    return this.#write(encodeFrame(OPCODES.ping, new Uint8Array(0)));
  }

  /** Says why and ends the connection, once. What the client still sends is read, and dropped, by whoever reads. */
  async close(code: number, reason = ""): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await write(this.#connection, encodeClose(code, reason)).catch(() => undefined);
    linger(this.#connection, this.#clock);
  }

  async #write(frame: Uint8Array): Promise<void> {
    // After a close frame nothing may follow.
    if (!this.#closed) await write(this.#connection, frame);
  }
}
