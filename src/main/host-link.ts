// The way from a platform that drains to the control plane of the one that follows: what its threads say goes there, routes come back.
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Clock, Logger } from "#core";
import type { Borrower, BorrowerWord } from "#gateway";
import {
  decodeRelay,
  encodeRelay,
  LineSplitter,
  RELAY_FORMAT,
  RELAY_LINE_BYTES_MAX,
  type ControlToGateway,
  type GatewayToControl,
  type HostLine,
} from "#protocol";
import { beginDraining, endDraining } from "./drainers.ts";
import { EarlyMessages } from "./early-messages.ts";

/** A host that is gone is followed by another one within some such pauses. */
const PAUSE_MS = 20;

export interface HostLinkOptions {
  readonly path: string;
  readonly threads: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For every thread. */
  readonly onTell: (message: ControlToGateway) => void;
  /** The next platform accepts connections. */
  readonly onAccepting: () => void;
  /** No platform has followed for `lostMs`: the data folder is nobody's any more. */
  readonly onLost: () => void;
  readonly lostMs: number;
}

export class HostLink {
  readonly #options: HostLinkOptions;
  /** Said while there is no host. */
  readonly #kept = new EarlyMessages();
  readonly #gone = new Set<number>();
  #socket: Socket | undefined;
  /** To a host that gives places. */
  #lender: Socket | undefined;
  #borrower: Borrower | undefined;

  constructor(options: HostLinkOptions) {
    this.#options = options;
  }

  /** A thread of this process said something. Metrics and routes of before are nobody's business any more. */
  say(message: GatewayToControl): void {
    if (message.type === "metrics") return;
    if (message.type === "podDrained") this.#borrower?.drained(message.pod);
    if (this.#socket === undefined) this.#kept.keep(message);
    else this.#socket.write(encodeRelay({ said: message }));
  }

  /** A thread of this process has ended: nothing is waited for from it. */
  gone(thread: number): void {
    this.#gone.add(thread);
    this.#socket?.write(encodeRelay({ gone: thread }));
  }

  /** About places, to the host that gives them. */
  word(word: BorrowerWord): void {
    this.#lender?.write(encodeRelay(word));
  }

  /** Stays with whoever is the host, until the signal aborts. What the borrower, the places of this process, says goes to `word`. */
  async run(borrower: Borrower, signal: AbortSignal): Promise<void> {
    const { path, clock, lostMs, onLost } = this.#options;
    const run = dirname(path);
    this.#borrower = borrower;
    beginDraining(run);
    let seenMs = clock.monotonicMs();
    while (!signal.aborted) {
      if (await this.#follow(borrower, signal)) seenMs = clock.monotonicMs();
      if (clock.monotonicMs() - seenMs > lostMs) {
        borrower.end();
        endDraining(run);
        return onLost();
      }
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }

  /** Resolves when the connection is over: whether there was a host. */
  #follow(borrower: Borrower, signal: AbortSignal): Promise<boolean> {
    const { path, threads, logger } = this.#options;
    const lines = new LineSplitter(RELAY_LINE_BYTES_MAX);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect({ path });
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    let told = false;
    const take = (line: HostLine | undefined): void => {
      if (line === undefined) return void socket.destroy();
      if ("lends" in line) this.#lender = socket;
      this.#heed(line, borrower);
      if (told || !("tell" in line) || line.tell.type !== "routes") return;
      // From its table on what the threads say is about generations that this host knows.
      told = true;
      this.#socket = socket;
      for (const thread of this.#gone) socket.write(encodeRelay({ gone: thread }));
      for (const message of this.#kept.take()) if (message.type !== "ack" && message.type !== "podDrained") this.say(message);
    };
    socket.once("connect", () => socket.write(encodeRelay({ hello: { format: RELAY_FORMAT, threads, pid: process.pid, places: borrower.offer() } })));
    socket.on("data", (bytes: Buffer) => {
      try {
        for (const text of lines.push(bytes)) take(decodeRelay<HostLine>(text));
      } catch (err) {
        logger.warn("the next platform was not understood", { err });
        socket.destroy();
      }
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#lender = undefined;
      borrower.pause();
      signal.removeEventListener("abort", abort);
      resolve(told);
    });
    return promise;
  }

  #heed(line: HostLine, borrower: Borrower): void {
    if ("accepting" in line) this.#options.onAccepting();
    else if ("lends" in line) borrower.begin();
    else if ("grants" in line) borrower.receives(line.grants);
    else if ("others" in line) borrower.othersWait(line.others);
    else this.#pass(line.tell, borrower);
  }

  /** Places of new pods are the host's before a thread hears of them. A host of before does not know that: then all are ours. */
  #pass(message: ControlToGateway, borrower: Borrower): void {
    if (message.type === "routes") {
      if (this.#lender === undefined) borrower.end();
      borrower.follow(message);
    }
    this.#options.onTell(message);
  }
}
