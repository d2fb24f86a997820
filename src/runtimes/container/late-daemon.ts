// The daemon of this machine, whenever it comes up: looked for when somebody wants it, and not again right after that was in vain.
import { existsSync } from "node:fs";
import type { Clock, Logger } from "#core";
import { placeOf, type DaemonPlace } from "./daemon-place.ts";
import { daemonAddresses, findDaemon, parseDaemonAddress, type DaemonFound, type DaemonSearch } from "./find-daemon.ts";

export interface DaemonThere {
  readonly daemon: DaemonFound;
  readonly place: DaemonPlace;
}

export interface LateDaemonOptions extends Omit<DaemonSearch, "onSilent"> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Once, before anybody else knows of it. */
  readonly onFound?: (there: DaemonThere) => void;
}

/** A socket with nobody of use behind it is asked again after this long, then twice as long, and so on. */
const RETRY_MS = { first: 1_000, max: 30_000 } as const;

export class LateDaemon {
  readonly #options: LateDaemonOptions;
  #there: DaemonThere | undefined;
  #looking: Promise<DaemonThere | undefined> | undefined;
  #pauseMs: number = RETRY_MS.first;
  #notBeforeMs = -Infinity;
  #why: string;

  constructor(options: LateDaemonOptions) {
    this.#options = options;
    this.#why = options.asked === "off" ? "it is switched off" : "there is no socket of Docker or Podman";
  }

  /** Undefined until it was found; it stays the one that it is, also while it restarts. */
  get there(): DaemonThere | undefined {
    return this.#there;
  }

  /** Why it is not there, for people. */
  get why(): string {
    return this.#why;
  }

  /** A look may help: there is a socket, and it was not in vain a moment ago. Costs no more than to look at a few paths. */
  get mayCome(): boolean {
    if (this.#there !== undefined || this.#looking !== undefined) return true;
    return this.#options.clock.monotonicMs() >= this.#notBeforeMs && daemonAddresses(this.#options).some(isReachable);
  }

  /** Looks for it unless it is known, or was looked for a moment ago. Never rejects. */
  look(): Promise<DaemonThere | undefined> {
    if (this.#there !== undefined) return Promise.resolve(this.#there);
    if (!this.mayCome) return Promise.resolve(undefined);
    this.#looking ??= this.#find().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #find(): Promise<DaemonThere | undefined> {
    const { logger, clock, onFound } = this.#options;
    try {
      const daemon = await findDaemon({ ...this.#options, onSilent: (at, err) => this.#complain(`${at} does not answer: ${(err as Error).message}`) });
      if (daemon !== undefined) {
        const there = { daemon, place: await placeOf(daemon) };
        logger.info("container daemon found", { at: daemon.at, engine: daemon.engine, version: daemon.version, reachable: there.place.isReachable });
        this.#there = there;
        onFound?.(there);
        return there;
      }
    } catch (error) {
      this.#complain(`the daemon cannot be used: ${(error as Error).message}`);
    }
    this.#notBeforeMs = clock.monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(RETRY_MS.max, this.#pauseMs * 2);
    return undefined;
  }

  /** The same words are in the log once. */
  #complain(why: string): void {
    if (why !== this.#why) this.#options.logger.warn("pods do not run in containers", { reason: why });
    this.#why = why;
  }
}

function isReachable(at: string): boolean {
  try {
    const address = parseDaemonAddress(at);
    return !("socketPath" in address) || existsSync(address.socketPath);
  } catch {
    // Looked at once all the same: then it is said what is wrong with it.
    return true;
  }
}
