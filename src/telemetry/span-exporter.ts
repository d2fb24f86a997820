// Hands spans to a collector in batches, and never makes anybody wait: what does not find room, or no taker, is dropped and counted.
import type { Clock, Logger } from "#core";
import type { Span } from "./otlp.ts";

/** As the batch processors of OpenTelemetry's SDKs. */
const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const PERIOD_MS = 5_000;
/** Attempts for a batch that the collector cannot take just now, and the wait after the first one, doubled after each. */
const ATTEMPTS_MAX = 3;
const BACKOFF_MS = 1_000;

/** `later`: it may take them when asked again. */
export type Delivered = "taken" | "later" | "refused";

export interface SpanExporterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Rejects when the collector cannot be reached. */
  readonly deliver: (spans: readonly Span[], signal: AbortSignal) => Promise<Delivered>;
  readonly exported: (spans: number) => void;
  readonly dropped: (spans: number) => void;
}

export class SpanExporter {
  readonly #options: SpanExporterOptions;
  #queue: Span[] = [];
  #wake: (() => void) | undefined;
  #failing = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
  }

  add(spans: readonly Span[]): void {
    const room = Math.max(0, QUEUE_MAX - this.#queue.length);
    if (spans.length > room) this.#options.dropped(spans.length - room);
    this.#queue.push(...spans.slice(0, room));
    this.#wake?.();
  }

  /** Delivers until the signal aborts; what is left then gets one attempt, within `last`. */
  async run(signal: AbortSignal, last: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#queue.length === 0) await this.#filled(1, signal);
      await this.#period(signal);
      if (!signal.aborted) await this.#deliver(signal, last);
    }
    while (this.#queue.length > 0) await this.#attempt(this.#queue.splice(0, BATCH_MAX), last);
  }

  /** A period, or until a batch is full. */
  async #period(signal: AbortSignal): Promise<void> {
    const full = new AbortController();
    const either = AbortSignal.any([signal, full.signal]);
    const slept = this.#options.clock.sleep(PERIOD_MS, either).catch(() => undefined);
    await Promise.race([slept, this.#filled(BATCH_MAX, either)]);
    full.abort();
  }

  #filled(spans: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#queue.length < spans && !signal.aborted) return;
        this.#wake = undefined;
        signal.removeEventListener("abort", look);
        resolve();
      };
      this.#wake = look;
      signal.addEventListener("abort", look, { once: true });
      look();
    });
  }

  async #deliver(signal: AbortSignal, last: AbortSignal): Promise<void> {
    const batch = this.#queue.splice(0, BATCH_MAX);
    for (let attempt = 1; ; attempt++) {
      // Once it is over there is time for one more attempt.
      const more = attempt < ATTEMPTS_MAX && !signal.aborted;
      const outcome = await this.#attempt(batch, last, more);
      if (outcome !== "later" || !more) return;
      await this.#options.clock.sleep(BACKOFF_MS * 2 ** (attempt - 1), signal).catch(() => undefined);
    }
  }

  async #attempt(batch: readonly Span[], signal: AbortSignal, again = false): Promise<Delivered> {
    const { deliver, exported, dropped } = this.#options;
    let outcome: Delivered = "later";
    try {
      outcome = await deliver(batch, signal);
      if (outcome !== "taken") this.#failed(new Error(outcome === "later" ? "the collector takes none just now" : "the collector refused them"));
    } catch (err) {
      this.#failed(err);
    }
    if (outcome === "taken") {
      this.#failing = false;
      exported(batch.length);
    } else if (!again || outcome === "refused") dropped(batch.length);
    return outcome;
  }

  /** Told once until it works again. */
  #failed(err: unknown): void {
    if (!this.#failing) this.#options.logger.warn("spans could not be delivered", { err });
    this.#failing = true;
  }
}
