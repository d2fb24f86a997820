// Which gateway thread listens for one that has died and has no successor yet.
import type { Logger } from "#core";
import type { ThreadSockets } from "#keeper";
import type { ControlToGateway } from "#protocol";

export interface StandInsOptions {
  /** Threads that listen. */
  readonly listening: ReadonlySet<number>;
  readonly nextSockets: (thread: number) => Promise<ThreadSockets>;
  readonly send: (thread: number, message: ControlToGateway) => void;
  readonly logger: Logger;
}

export class StandIns {
  readonly #options: StandInsOptions;
  /** By the thread that died: who listens for it. */
  readonly #standIns = new Map<number, number>();

  constructor(options: StandInsOptions) {
    this.#options = options;
  }

  /** Another thread that listens serves the sockets of this one, too, if there is any and they can be had. */
  async find(thread: number): Promise<void> {
    const { listening, nextSockets, send, logger } = this.#options;
    if (this.#standIns.has(thread) || listening.size === 0) return;
    try {
      const its = await nextSockets(thread);
      const [other] = listening;
      if (other === undefined) return;
      this.#standIns.set(thread, other);
      send(other, { type: "standIn", thread, ...its });
      logger.warn("gateway thread stands in for another", { thread: other, standsInFor: thread });
    } catch (err) {
      logger.error("no gateway thread stands in for another", { standsInFor: thread, err });
    }
  }

  /** The thread has a successor that listens. */
  listens(thread: number): void {
    const other = this.#standIns.get(thread);
    if (other === undefined) return;
    this.#standIns.delete(thread);
    this.#options.send(other, { type: "standInEnds", thread });
  }

  /** The thread has died, and with it what it did for others. */
  gone(thread: number): void {
    for (const [of, other] of this.#standIns) if (other === thread) this.#standIns.delete(of);
  }
}
