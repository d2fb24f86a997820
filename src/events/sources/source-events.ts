// Single events that the control thread hands in: filtered, and sent until their sinks take them.
import type { Clock, Logger } from "#core";
import type { SourceEvent, SourceEventEnd } from "#protocol";
import { encodeMessage } from "../cloudevents/http.ts";
import { isAccepted } from "../delivery/retry.ts";
import type { Sender } from "../delivery/send.ts";
import { matcherFor } from "../filters/matcher.ts";
import { sendUntilTaken } from "./send-until-taken.ts";

export interface SourceEventsOptions {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly over: (end: SourceEventEnd) => void;
}

const TIMEOUT_MS = 600_000;

export class SourceEvents {
  readonly #options: SourceEventsOptions;
  /** Whoever hands them in waits for the end of each: they are as many as there are watches. */
  readonly #underWay = new Map<number, AbortController>();

  constructor(options: SourceEventsOptions) {
    this.#options = options;
  }

  take(event: SourceEvent): void {
    const { logger } = this.#options;
    const stop = new AbortController();
    this.#underWay.set(event.id, stop);
    this.#send(event, stop.signal)
      .catch((err: unknown) => logger.error("an event of a source cannot be sent", { attributes: event.attributes, err }))
      .finally(() => this.#underWay.delete(event.id));
  }

  /** Nobody wants it any more. */
  drop(id: number): void {
    this.#underWay.get(id)?.abort();
  }

  end(): void {
    for (const stop of this.#underWay.values()) stop.abort();
  }

  async #send(event: SourceEvent, signal: AbortSignal): Promise<void> {
    const { over, logger } = this.#options;
    const { id, target, namespace, filters } = event;
    const attributes = new Map([["specversion", "1.0"], ...Object.entries(event.attributes)]);
    if (!matcherFor({ attributes: {}, filters }).matches(attributes)) return over({ type: "sourceEventOver", id, outcome: "filtered" });
    const { headers, body } = encodeMessage({ form: "binary", attributes, data: { octets: Buffer.from(event.data), is: "opaque" } }, "binary");
    const outgoing = { target, headers: { ...headers, "kn-namespace": namespace }, body, timeoutMs: TIMEOUT_MS };
    const result = await sendUntilTaken(this.#options, () => outgoing, signal);
    if (result === undefined) return;
    if (!isAccepted(result)) logger.warn("a sink has refused an event", { source: event.attributes["source"], result });
    over({ type: "sourceEventOver", id, outcome: isAccepted(result) ? "taken" : "refused" });
  }
}
