// The listener that takes events: on loopback, behind the gateway, which has the names.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock, Logger } from "#core";
import { LogError } from "#log";
import { HANDSHAKE_HEADERS } from "../cloudevents/handshake.ts";
import { decodeMessage } from "../cloudevents/http.ts";
import type { Headers } from "../cloudevents/http-message.ts";
import type { Attributes } from "../hops.ts";
import { passedOn } from "../pass-headers.ts";
import { firstLook, type Place } from "./first-look.ts";
import { readBody } from "./read-body.ts";
import { fromRequest, statusOf, takeEvents, type Intake } from "./take-events.ts";

export interface IngressOptions {
  /** Who takes events there now. */
  readonly intakeAt: (place: Place) => Intake | undefined;
  /** Most content of a request. */
  readonly bodyBytesMax: number;
  /** An event was taken. */
  readonly saw: (place: Place, attributes: Attributes) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOPBACK = "127.0.0.1";
const CONNECTIONS_MAX = 10_000;
const HEAD_MS_MAX = 10_000;
const REQUEST_MS_MAX = 300_000;
/** Bodies that are being read or wait for the disk; more are answered with 429. */
const WAITING_BYTES_MAX = 256 << 20;
/** Counted for a body of unknown length, and at least for any. */
const BODY_BYTES_LEAST = 1_024;

export class Ingress {
  readonly #options: IngressOptions;
  readonly #server: Server;
  #waitingBytes = 0;

  constructor(options: IngressOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: HEAD_MS_MAX, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: 0 }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Resolves with the port once it listens; another one than the wanted when that is taken. */
  async listen(port: number): Promise<number> {
    try {
      await this.#listenOn(port);
    } catch (error) {
      if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await this.#listenOn(0);
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests under way are answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await closed;
  }

  #listenOn(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: LOOPBACK, port }, () => {
        this.#server.removeListener("error", reject);
        resolve();
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const look = firstLook({ method, url, host: headers.host ?? "" }, (place) => this.#options.intakeAt(place) !== undefined);
    if ("status" in look) return answer(request, response, look.status, look.headers);
    const declared = Math.max(BODY_BYTES_LEAST, Number(headers["content-length"] ?? this.#options.bodyBytesMax));
    if (this.#waitingBytes > 0 && this.#waitingBytes + declared > WAITING_BYTES_MAX) return answer(request, response, 429);
    this.#waitingBytes += declared;
    try {
      answer(request, response, await this.#take(request, look.place));
    } catch (err) {
      this.#options.logger.error("an event could not be taken", { err });
      answer(request, response, 500);
    } finally {
      this.#waitingBytes -= declared;
    }
  }

  async #take(request: IncomingMessage, place: Place): Promise<number> {
    const { intakeAt, bodyBytesMax, saw, clock } = this.#options;
    const body = await readBody(request, bodyBytesMax);
    if ("refused" in body) return body.refused;
    const headers = flat(request.headers);
    const message = decodeMessage(headers, body.octets);
    if (message.is === "none" || message.is === "fault") return 400;
    const intake = intakeAt(place);
    if (intake === undefined) return 404;
    const passed = passedOn(headers);
    const sent = message.is === "event" ? [message.event] : message.events;
    const events = sent.map((event) => fromRequest({ ...event, headers: passed }, headers));
    try {
      if ("refused" in (await takeEvents(intake, { events }, clock))) return 400;
      for (const { attributes } of events) saw(place, attributes);
      return 202;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return statusOf(error);
    }
  }
}

function flat(headers: IncomingMessage["headers"]): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));
}

/** The body of a refused request is not read: its connection cannot be used again. */
function answer(request: IncomingMessage, response: ServerResponse, status: number, more: Readonly<Record<string, string>> = {}): void {
  if (response.destroyed) return;
  const again = request.complete || request.method === "OPTIONS" || request.method === "GET" ? {} : { connection: "close" };
  response.writeHead(status, { allow: HANDSHAKE_HEADERS["allow"], ...more, ...again, "content-length": "0" }).end();
}
