// The gateway threads of platforms that drain, as guests of this control plane: fed with its routes, listened to, until they are gone.
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { Logger } from "#core";
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
} from "#protocol";
import type { ThreadControl } from "./first-gateways.ts";

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

/** Listens on `path`, in place of the platform before. */
export async function openToGuests(path: string, control: ThreadControl, logger: Logger): Promise<GuestThreads> {
  const guests = new Set<Guest>();
  let accepting = false;
  let threads = FIRST_THREAD;
  const server = createServer((socket) => {
    const guest = new Guest(socket, control, (count) => {
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
  readonly #control: ThreadControl;
  readonly #enter: (threads: number) => number;
  readonly #lines = new LineSplitter(RELAY_LINE_BYTES_MAX);
  #first = 0;
  #threads = 0;

  /** `enter` gives the number of the first of its threads. */
  constructor(socket: Socket, control: ThreadControl, enter: (threads: number) => number) {
    this.#socket = socket;
    this.#control = control;
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
    if (line === undefined) this.#socket.destroy();
    else if ("hello" in line) this.#greet(line.hello);
    else if (this.#threads === 0) this.#socket.destroy();
    else if ("gone" in line) this.#control.onGone(this.#first + line.gone);
    else this.#control.onMessage(renumbered(line.said, this.#first));
  }

  #greet({ format, threads }: { readonly format: number; readonly threads: number }): void {
    if (format !== RELAY_FORMAT || this.#threads > 0 || !(threads > 0 && threads <= THREADS_MAX)) {
      this.#socket.destroy();
      return;
    }
    this.#threads = threads;
    // Each of its threads is told the same.
    const { settings, firstBatch, onMessage } = this.#control;
    this.tell({ tell: { type: "settings", settings: settings() } });
    this.#first = this.#enter(threads);
    for (let thread = 0; thread < threads; thread++) {
      const batch = firstBatch(this.#first + thread);
      if (thread === 0) this.tell({ tell: batch });
      onMessage({ type: "listening", thread: this.#first + thread, epoch: 0 });
    }
  }

  #gone(): void {
    for (let thread = 0; thread < this.#threads; thread++) this.#control.onGone(this.#first + thread);
    this.#threads = 0;
  }
}

/** Its own epochs end with it. */
function renumbered(message: GatewayToControl, first: number): GatewayToControl {
  const thread = first + message.thread;
  return "epoch" in message ? { ...message, thread, epoch: 0 } : { ...message, thread };
}
