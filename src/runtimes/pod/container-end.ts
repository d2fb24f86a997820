// The way in which one container is ended: its hook, its turn, SIGTERM, and SIGKILL when its time is over.
import type { Clock } from "#core";

export interface EndSteps {
  readonly clock: Clock;
  /** Undefined when it has none. */
  readonly preStop: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Resolves when those have ended that have to before it. */
  readonly turn: Promise<void>;
  signal(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** As the kubelet: whatever came before, a process gets this long between SIGTERM and SIGKILL. */
const STOP_MS_MIN = 2_000;
const RETRY_KILL_MS = 1_000;

export class ContainerEnd {
  readonly #steps: EndSteps;
  #killAtMs: number;
  #hurried = Promise.withResolvers<void>();

  /** `killAtMs` is monotonic time. */
  constructor(steps: EndSteps, killAtMs: number) {
    this.#steps = steps;
    this.#killAtMs = killAtMs;
  }

  /** Never later than was said before. */
  hurry(killAtMs: number): void {
    if (killAtMs >= this.#killAtMs) return;
    this.#killAtMs = killAtMs;
    this.#hurried.resolve();
    this.#hurried = Promise.withResolvers();
  }

  /** Resolves when `over` aborts, with the container's end. */
  async run(over: AbortSignal): Promise<void> {
    const { clock, preStop, turn, signal } = this.#steps;
    if (preStop !== undefined && this.#killAtMs > clock.monotonicMs()) await this.#within(preStop, over);
    await this.#within(() => turn, over);
    if (over.aborted) return;
    await signal("SIGTERM");
    const least = clock.monotonicMs() + STOP_MS_MIN;
    while (!over.aborted && clock.monotonicMs() < Math.max(least, this.#killAtMs)) await this.#until(Math.max(least, this.#killAtMs), over);
    while (!over.aborted) {
      await signal("SIGKILL");
      await clock.sleep(RETRY_KILL_MS, over).catch(() => undefined);
    }
  }

  /** Until it is done, the container has ended, or the time to kill has come. */
  async #within(step: (signal: AbortSignal) => Promise<void>, over: AbortSignal): Promise<void> {
    const late = new AbortController();
    const either = AbortSignal.any([over, late.signal]);
    const done = new AbortController();
    const finish = (): void => done.abort();
    const stepped = step(either).then(finish, finish);
    while (!done.signal.aborted && !over.aborted && this.#steps.clock.monotonicMs() < this.#killAtMs)
      await Promise.race([stepped, this.#until(this.#killAtMs, either)]);
    late.abort();
  }

  /** Or less, when it is to be sooner or the signal aborts. */
  async #until(atMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#steps;
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    await Promise.race([this.#hurried.promise, clock.sleep(Math.max(0, atMs - clock.monotonicMs()), either).catch(() => undefined)]);
    done.abort();
  }
}
