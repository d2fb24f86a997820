// How each Broker and channel takes events: what its object says, who listens, and what it took lately.
import type { Clock, Logger } from "#core";
import type { EventStream } from "#protocol";
import { Budget } from "../budget.ts";
import type { EventEar } from "../observe/event-meters.ts";
import type { EventTracer } from "../observe/event-tracer.ts";
import type { EventLog, StreamLog } from "../port.ts";
import { RECENT_EVENTS_MAX, RecentEvents } from "./recent-events.ts";
import type { Intake } from "./take-events.ts";

export interface IntakesOptions {
  readonly log: Pick<EventLog, "read" | "sync">;
  readonly ear?: EventEar | undefined;
  readonly tracer?: EventTracer | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Intakes {
  readonly #options: IntakesOptions;
  readonly #budget = new Budget(RECENT_EVENTS_MAX);
  /** By the id of the stream. */
  readonly #recent = new Map<string, RecentEvents>();

  constructor(options: IntakesOptions) {
    this.#options = options;
  }

  /** In the newest form of the stream. */
  of(is: EventStream, stream: StreamLog): Intake {
    const { ear, tracer } = this.#options;
    const recent = this.#recentOf(is, stream);
    return {
      stream,
      hops: is.kind === "Broker",
      ...(recent === undefined ? {} : { recent }),
      ...(ear === undefined ? {} : { heard: (events, how) => ear.took(is, events, how) }),
      ...(tracer === undefined
        ? {}
        : { traces: { taking: (events, request) => tracer.taking(events, request), taken: (taking, how) => tracer.taken(is, taking, how) } }),
    };
  }

  remove(id: string): void {
    this.#recent.get(id)?.end();
    this.#recent.delete(id);
  }

  /** One of another window learns anew from the log what it has to know. */
  #recentOf({ id, deduplicateMs }: EventStream, stream: StreamLog): RecentEvents | undefined {
    const { log, clock, logger } = this.#options;
    const known = this.#recent.get(id);
    if (known?.windowMs === deduplicateMs) return known;
    this.remove(id);
    if (deduplicateMs === undefined) return undefined;
    const made = new RecentEvents({ windowMs: deduplicateMs, name: id, stream, log, budget: this.#budget, clock, logger });
    this.#recent.set(id, made);
    return made;
  }
}
