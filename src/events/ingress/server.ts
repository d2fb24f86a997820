// The listener that takes events: on loopback, behind the gateway, which has the names.
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Clock, Logger } from "#core";
import { Outbox, ReadBuffers, TimerWheel } from "#gateway/wire";
import { LogError } from "#log";
import { decodeMessage } from "../cloudevents/http.ts";
import type { Headers } from "../cloudevents/http-message.ts";
import type { Attributes } from "../hops.ts";
import { passedOn } from "../pass-headers.ts";
import { AnswerText } from "./answer-text.ts";
import { IngressConnection, type Surroundings, type Taker } from "./connection.ts";
import { firstLook, type Place } from "./first-look.ts";
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
/** Bodies that are being read or wait for the disk; more are answered with 429. */
const WAITING_BYTES_MAX = 256 << 20;
const TICK_MS = 25;

export class Ingress {
  readonly #options: IngressOptions;
  readonly #server: Server;
  readonly #connections = new Set<IngressConnection>();
  readonly #closing = new AbortController();
  #waitingBytes = 0;

  constructor(options: IngressOptions) {
    this.#options = options;
    const { clock, bodyBytesMax } = options;
    const deadlines = new TimerWheel(clock, TICK_MS);
    void deadlines.run(this.#closing.signal);
    const around: Surroundings = {
      taker: this.#taker,
      bodyBytesMax,
      buffers: new ReadBuffers(),
      outbox: new Outbox(),
      deadlines,
      nowMs: () => clock.monotonicMs(),
    };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#connections.add(new IngressConnection(socket, around, (connection) => this.#connections.delete(connection)));
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
    for (const connection of this.#connections) connection.drain();
    await closed;
    this.#closing.abort();
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

  get #taker(): Taker {
    const { intakeAt, clock } = this.#options;
    const text = new AnswerText(clock);
    return {
      look: ({ method, target }, headers) => firstLook({ method, url: target, host: headers["host"] ?? "" }, (place) => intakeAt(place) !== undefined),
      reserve: (bytes) => {
        if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX) return false;
        this.#waitingBytes += bytes;
        return true;
      },
      release: (bytes) => void (this.#waitingBytes -= bytes),
      take: (place, headers, body) =>
        this.#take(place, headers, body).catch((err: unknown) => {
          this.#options.logger.error("an event could not be taken", { err });
          return 500;
        }),
      textOf: (answer, closes) => text.of(answer, closes),
    };
  }

  async #take(place: Place, headers: Headers, body: Uint8Array): Promise<number> {
    const { intakeAt, saw, clock } = this.#options;
    const message = decodeMessage(headers, body);
    if (message.is === "none" || message.is === "fault") return 400;
    const intake = intakeAt(place);
    if (intake === undefined) return 404;
    const passed = passedOn(headers);
    const sent = message.is === "event" ? [message.event] : message.events;
    const events = sent.map((event) => fromRequest({ ...event, headers: passed }, headers));
    try {
      if ("refused" in (await takeEvents(intake, { events, request: headers }, clock))) return 400;
      for (const { attributes } of events) saw(place, attributes);
      return 202;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return statusOf(error);
    }
  }
}
