// Looks every now and then how much is in volumes that have a limit, one after the other, however many pods have some: the pod of one that is too
// full is evicted. It sleeps while there are none.
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger } from "#core";

/** A volume that may hold so much. */
export interface LimitedVolume {
  readonly name: string;
  readonly path: string;
  readonly bytesMax: number;
  /** The limit as it is told. */
  readonly limit: string;
}

export interface ScannedPod {
  /** Those that are made. */
  readonly limitedVolumes: readonly LimitedVolume[];
  evict(message: string): void;
}

/** The kubelet looks once a minute. */
const SCAN_MS = 30_000;
/** After so many files it rests: a look takes its time and never the processor. */
const PACE = { entries: 500, restMs: 50 } as const;
const BLOCK_BYTES = 512;
/** Files with several names that one look remembers: some megabytes. */
const LINKED_MAX = 50_000;

export interface ScannerTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly linkedMax?: number;
}

export class VolumeScanner {
  readonly #tools: ScannerTools;
  readonly #pods = new Set<ScannedPod>();
  #some = Promise.withResolvers<void>();

  constructor(tools: ScannerTools) {
    this.#tools = tools;
  }

  /** Returns how to stop looking at it. */
  watch(pod: ScannedPod): () => void {
    this.#pods.add(pod);
    this.#some.resolve();
    return () => {
      this.#pods.delete(pod);
      if (this.#pods.size === 0) this.#some = Promise.withResolvers();
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#tools;
    signal.addEventListener("abort", () => this.#some.resolve(), { once: true });
    while (!signal.aborted) {
      await this.#some.promise;
      await clock.sleep(SCAN_MS, signal).catch(() => undefined);
      for (const pod of [...this.#pods]) {
        await this.#look(pod, signal).catch((error: unknown) => {
          if (!signal.aborted) logger.warn("volumes were not looked at", { err: error });
        });
      }
    }
  }

  async #look(pod: ScannedPod, signal: AbortSignal): Promise<void> {
    for (const { name, path, bytesMax, limit } of pod.limitedVolumes) {
      if (signal.aborted || !this.#pods.has(pod)) return;
      if (!(await this.#holdsMore(path, bytesMax, signal))) continue;
      pod.evict(`Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `);
      return;
    }
  }

  /**
   * As `du` counts: blocks, a file with several names once, nothing of other file systems. Ends as soon as it knows. What goes meanwhile is not counted.
   * Of files with several names beyond those that are remembered, each name counts for its part of the file: as much where all names are in
   * the volume, which is all that a pod can make, and never more, so that no pod is evicted for what it has not.
   */
  async #holdsMore(root: string, bytesMax: number, signal: AbortSignal): Promise<boolean> {
    const top = await lstat(root).catch(() => undefined);
    const linked = new Set<number>();
    const { clock, linkedMax = LINKED_MAX } = this.#tools;
    const folders = [root];
    let [bytes, entries] = [0, 0];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const opened = await opendir(folder).catch(() => undefined);
      if (opened === undefined) continue;
      for await (const entry of opened) {
        const path = join(folder, entry.name);
        const found = await lstat(path).catch(() => undefined);
        if (++entries % PACE.entries === 0) await clock.sleep(PACE.restMs, signal);
        if (found === undefined || found.dev !== top?.dev) continue;
        let names = 1;
        if (found.isDirectory()) folders.push(path);
        else if (found.nlink > 1) {
          if (linked.has(found.ino)) continue;
          if (linked.size < linkedMax) linked.add(found.ino);
          else names = found.nlink;
        }
        bytes += Math.floor((found.blocks * BLOCK_BYTES) / names);
        if (bytes > bytesMax) return true;
      }
    }
    return false;
  }
}
