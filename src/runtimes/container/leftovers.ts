// What could not be removed because the daemon was away: tried again until it is gone. Without leftovers there is no timer.
import type { Clock, Logger } from "#core";

export interface LeftoversOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** All that a pod has. Rejects while it cannot be removed. */
  readonly remove: (podUid: string) => Promise<void>;
}

const RETRY_MS = { first: 1_000, max: 30_000 } as const;
/** More than are forgotten: the next platform's sweep finds them, and so does `eider down`. */
const LEFT_MAX = 10_000;

export class Leftovers {
  readonly #options: LeftoversOptions;
  readonly #signal: AbortSignal;
  readonly #left = new Set<string>();
  #running = false;

  constructor(options: LeftoversOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  add(podUid: string): void {
    if (this.#left.size < LEFT_MAX) this.#left.add(podUid);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { clock, logger, remove } = this.#options;
    this.#running = true;
    for (let pauseMs: number = RETRY_MS.first; this.#left.size > 0 && !this.#signal.aborted; pauseMs = Math.min(RETRY_MS.max, pauseMs * 2)) {
      await clock.sleep(pauseMs, this.#signal).catch(() => undefined);
      for (const uid of this.#left) {
        if (this.#signal.aborted) break;
        try {
          await remove(uid);
          this.#left.delete(uid);
        } catch (err) {
          logger.debug("containers of a pod that is gone are still there", { pod: uid, err });
          break;
        }
      }
    }
    this.#running = false;
  }
}
