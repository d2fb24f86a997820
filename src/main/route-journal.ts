// The routing state on disk, for the next platform: written before the threads are told, so that it is never older than what they serve by.
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Clock, Logger } from "#core";
import { decodeSaved, encodeSaved, SAVED_ROUTES_FORMAT, type GatewaySettings, type RouteDelta, type SavedRecord, type SavedRoutes } from "#protocol";

/** Records behind the whole table; with more, and more than the table itself, it is written anew. */
const CHANGES_BYTES_MAX = 256 << 10;
/** After a failure (a full disk) the next attempt is made so much later. */
const RETRY_MS = 5_000;

export interface RouteJournalOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The whole table, changes that are about to be written included. */
  readonly everything: () => RouteDelta;
  readonly settings: () => GatewaySettings;
}

/** What the last platform left; undefined when there is nothing that can be used. */
export function readSavedRoutes(path: string): SavedRoutes | undefined {
  try {
    return decodeSaved(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Not synced to the disk: it is for the death of a process, after a power cut no pod is left. Where it cannot be written the
 * file is removed: better no state than an old one.
 */
export class RouteJournal {
  readonly #options: RouteJournalOptions;
  #file: number | undefined;
  #wholeBytes = 0;
  #changesBytes = 0;
  #retryAtMs = -Infinity;

  constructor(options: RouteJournalOptions) {
    this.#options = options;
  }

  /** Writes the change; a later platform begins with it. */
  append(record: SavedRecord): void {
    const full = this.#changesBytes > Math.max(CHANGES_BYTES_MAX, this.#wholeBytes);
    if (this.#file === undefined || full) return this.#writeWhole();
    try {
      this.#changesBytes += write(this.#file, encodeSaved(record));
    } catch (err) {
      this.#failed(err);
    }
  }

  /** The next platform takes over: nothing is written from now on. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#retryAtMs = Infinity;
  }

  #writeWhole(): void {
    const { path, clock, everything, settings } = this.#options;
    if (clock.monotonicMs() < this.#retryAtMs) return;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    try {
      this.#file = openSync(`${path}.new`, "w", 0o600);
      const records: SavedRecord[] = [{ type: "format", format: SAVED_ROUTES_FORMAT }, { type: "settings", settings: settings() }, everything()];
      this.#wholeBytes = write(this.#file, records.map(encodeSaved).join(""));
      this.#changesBytes = 0;
      renameSync(`${path}.new`, path);
    } catch (err) {
      this.#failed(err);
    }
  }

  #failed(err: unknown): void {
    const { path, clock, logger } = this.#options;
    logger.warn("the routing state cannot be kept for the next platform", { err });
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    try {
      rmSync(path, { force: true });
    } catch {
      // The next attempt replaces it.
    }
  }
}

/** The whole text, however many writes it takes; its bytes. */
function write(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length;) from += writeSync(file, bytes, from);
  return bytes.length;
}
