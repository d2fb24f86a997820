// The gateway threads of platforms that drain, as guests of this control plane: fed with its routes, listened to, until they are gone.
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { Logger } from "#core";
import type { Borrowed } from "#gateway";
import {
  decodeRelay,
  encodeRelay,
  LineSplitter,
  RELAY_FORMAT,
  RELAY_LINE_BYTES_MAX,
  type ControlToGateway,
  type GatewayToControl,
  type GuestLine,
  type HostLine,
  type LentPlaces as Lent,
  type RouteDelta,
} from "#protocol";
import type { ThreadControl } from "./first-gateways.ts";
import type { LentPlaces } from "./lent-places.ts";

/** Numbers of guests' threads begin here and are used once: what a thread said late is never taken for another's word. */
const FIRST_THREAD = 1_000;
const THREADS_MAX = 1_024;
/** Platforms that may drain at once. */
const GUESTS_MAX = 8;
/** A guest that does not read is let go of; its threads go on by the routes that they have. */
const UNREAD_BYTES_MAX = 512 << 20;

export interface GuestThreads {
  /** A message for every thread of every guest. */
  broadcast(message: ControlToGateway): void;
  /** The own threads accept connections: guests need not any more. */
  accepting(): void;
  close(): void;
}

export interface GuestsOptions {
  readonly path: string;
  readonly control: ThreadControl;
  readonly places: LentPlaces;
  /** A platform has told which places it has. */
  readonly onPlaces: (pid: number) => void;
  readonly logger: Logger;
}

/** Listens on `path`, in place of the platform before. */
export async function openToGuests(options: GuestsOptions): Promise<GuestThreads> {
  const { path, places, logger } = options;
  const guests = new Set<Guest>();
  let accepting = false;
  let threads = FIRST_THREAD;
  const server = createServer((socket) => {
    const guest = new Guest(socket, options, (count) => {
      const first = threads;
      threads += count;
      guests.add(guest);
      logger.info("gateway threads of a platform that drains are guests", { threads: count });
      if (accepting) guest.tell({ accepting: true });
      return first;
    });
    socket.once("close", () => guests.delete(guest));
  });
  server.maxConnections = GUESTS_MAX;
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const umask = process.umask(0o177);
    server.listen({ path }, resolve);
    process.umask(umask);
  });
  server.unref();
  return {
    broadcast(message) {
      if (message.type === "routes" && places.lender.hasGuests) places.lender.follow(message);
      for (const guest of guests) guest.tell({ tell: message });
    },
    accepting() {
      accepting = true;
      for (const guest of guests) guest.tell({ accepting: true });
    },
    close() {
      server.close();
      for (const guest of guests) guest.end();
    },
  };
}

/** One platform that drains. */
class Guest {
  readonly #socket: Socket;
  readonly #options: GuestsOptions;
  readonly #enter: (threads: number) => number;
  readonly #lines = new LineSplitter(RELAY_LINE_BYTES_MAX);
  #first = 0;
  #threads = 0;
  /** What it has of the places of all. */
  #borrowed: Borrowed | undefined;

  /** `enter` gives the number of the first of its threads. */
  constructor(socket: Socket, options: GuestsOptions, enter: (threads: number) => number) {
    this.#socket = socket;
    this.#options = options;
    this.#enter = enter;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", () => undefined);
    socket.once("close", () => this.#gone());
  }

  tell(line: HostLine): void {
    this.#socket.write(encodeRelay(line));
    if (this.#socket.writableLength > UNREAD_BYTES_MAX) this.#socket.destroy();
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    try {
      for (const text of this.#lines.push(bytes)) this.#take(decodeRelay<GuestLine>(text));
    } catch {
      this.#socket.destroy();
    }
  }

  #take(line: GuestLine | undefined): void {
    const { control, places } = this.#options;
    if (line === undefined) return void this.#socket.destroy();
    if ("hello" in line) return this.#greet(line.hello);
    if (this.#threads === 0) return void this.#socket.destroy();
    if ("gone" in line) return control.onGone(this.#first + line.gone);
    if ("said" in line) return control.onMessage(renumbered(line.said, this.#first));
    if (this.#borrowed === undefined) return void this.#socket.destroy();
    if ("asks" in line) places.lender.asks(this.#borrowed, line.asks);
    else places.lender.givenBack(this.#borrowed, line.back);
  }

  #greet({ format, threads, pid, places }: Extract<GuestLine, { readonly hello: unknown }>["hello"]): void {
    if (format !== RELAY_FORMAT || this.#threads > 0 || !(threads > 0 && threads <= THREADS_MAX)) {
      this.#socket.destroy();
      return;
    }
    this.#threads = threads;
    this.#first = this.#enter(threads);
    const { settings, firstBatch, onMessage } = this.#options.control;
    // Each of its threads is told the same.
    const [batch] = Array.from({ length: threads }, (_, thread) => firstBatch(this.#first + thread));
    if (batch !== undefined && places !== undefined) this.#lend(batch, places);
    if (pid !== undefined) this.#options.onPlaces(pid);
    this.tell({ tell: { type: "settings", settings: settings() } });
    if (batch !== undefined) this.tell({ tell: batch });
    for (let thread = 0; thread < threads; thread++) onMessage({ type: "listening", thread: this.#first + thread, epoch: 0 });
  }

  /** Before it hears of routes: it counts on places from then on. */
  #lend(batch: RouteDelta, has: Lent): void {
    const { lender } = this.#options.places;
    this.#options.places.listen();
    lender.follow(batch);
    this.tell({ lends: true });
    this.#borrowed = lender.welcome(has, (word) => this.tell(word));
  }

  #gone(): void {
    if (this.#borrowed !== undefined) this.#options.places.lender.farewell(this.#borrowed);
    for (let thread = 0; thread < this.#threads; thread++) this.#options.control.onGone(this.#first + thread);
    this.#threads = 0;
  }
}

/** Its own epochs end with it. */
function renumbered(message: GatewayToControl, first: number): GatewayToControl {
  const thread = first + message.thread;
  return "epoch" in message ? { ...message, thread, epoch: 0 } : { ...message, thread };
}
