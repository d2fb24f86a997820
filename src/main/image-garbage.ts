// When the image store is collected, and what the cluster's objects need of it.
import type { Reader } from "#client";
import { Parking, type Clock, type Logger } from "#core";
import { collectGarbage, type Collected, type ImageStore } from "#images";
import { Deployment, Pod, Revision } from "#kinds";

/** Changes come in bunches: a collection waits until none came for so long. */
const QUIET_MS = 60_000;
/** After one that failed. */
const AGAIN_MS = 600_000;
const DIGEST = /sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}/g;

/** Digests of images that Revisions, Deployments and pods name. */
export async function neededImages(client: Reader): Promise<ReadonlySet<string>> {
  const [revisions, deployments, pods] = await Promise.all([client.list(Revision), client.list(Deployment), client.list(Pod)]);
  const named = [
    revisions.items.map(({ spec, status }) => [spec, status?.containerStatuses, status?.initContainerStatuses]),
    deployments.items.map(({ spec }) => spec?.template),
    pods.items.map(({ spec, status }) => [spec, status?.containerStatuses, status?.initContainerStatuses]),
  ];
  return new Set(JSON.stringify(named).match(DIGEST) ?? []);
}

export interface ImageGarbageOptions {
  readonly store: ImageStore;
  readonly client: Reader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly collected?: (collected: Collected) => void;
}

/** Collects once things have changed and calmed down, and again when what is too fresh has aged; at rest there is no timer. */
export class ImageGarbage {
  readonly #options: ImageGarbageOptions;
  readonly #parking = new Parking();
  #changedMs: number | undefined;
  #short = false;
  #planned = new AbortController();

  constructor(options: ImageGarbageOptions) {
    this.#options = options;
  }

  /** Something may be nobody's now. */
  changed(): void {
    this.#changedMs = this.#options.clock.monotonicMs();
    this.#parking.leave();
  }

  /** Space is short: pulled images that nobody needs go, too, and nobody waits for quiet. */
  spaceIsShort(): void {
    this.#short = true;
    this.changed();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      if (this.#changedMs === undefined) await this.#parking.stay(signal);
      const waitMs = this.#short ? 0 : (this.#changedMs ?? 0) + QUIET_MS - clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
      // It changed meanwhile: wait once more.
      if (signal.aborted || (!this.#short && clock.monotonicMs() < (this.#changedMs ?? 0) + QUIET_MS)) continue;
      try {
        const nextMs = await this.#collect();
        if (nextMs !== undefined) this.#later(nextMs - clock.wallMs(), signal);
      } catch (err) {
        logger.warn("the image store could not be collected, and will be later", { err });
        this.#later(AGAIN_MS, signal);
      }
    }
  }

  async #collect(): Promise<number | undefined> {
    const { store, client, clock, logger, collected } = this.#options;
    this.#changedMs = undefined;
    const pulledToo = this.#short;
    this.#short = false;
    const result = await collectGarbage(store, { needed: await neededImages(client), nowMs: clock.wallMs(), pulledToo });
    if (result.blobs > 0) logger.info("images were collected", { ...result });
    collected?.(result);
    return result.nextMs;
  }

  /** Replaces what was planned before. */
  #later(ms: number, signal: AbortSignal): void {
    this.#planned.abort();
    this.#planned = new AbortController();
    void this.#options.clock.sleep(Math.max(ms, QUIET_MS), AbortSignal.any([signal, this.#planned.signal])).then(
      () => this.changed(),
      () => undefined,
    );
  }
}
