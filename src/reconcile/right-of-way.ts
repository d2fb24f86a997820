// Right of way: while requests wait for a process to start, work that nobody waits for stands aside for a moment.
import type { Clock } from "#core";

/** The longest time to stand aside; as long after that nobody has right of way. */
const ASIDE_MS_MAX = 100;

/** Held by name, from a wake to the first process; whoever stands aside goes on by itself after 100 ms. */
export class RightOfWay {
  readonly #clock: Clock;
  readonly #holders = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #over: AbortController | undefined;
  #restUntilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get held(): boolean {
    return this.#holders.size > 0;
  }

  /** Nothing happens within the pause after a hold that was too long. */
  take(holder: string): void {
    if (this.#holders.size === 0) {
      if (this.#clock.monotonicMs() < this.#restUntilMs) return;
      const over = new AbortController();
      this.#over = over;
      this.#clock.sleep(ASIDE_MS_MAX, over.signal).then(
        () => this.#end(this.#clock.monotonicMs() + ASIDE_MS_MAX),
        () => undefined,
      );
    }
    this.#holders.add(holder);
  }

  giveBack(holder: string): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#end(0);
  }

  /** Resolves when nobody holds it. */
  async free(): Promise<void> {
    if (this.held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #end(restUntilMs: number): void {
    this.#restUntilMs = restUntilMs;
    this.#over?.abort();
    this.#holders.clear();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
