// Networks of pods made ahead: a container that holds one takes Podman longer to start than the pod's own does.
//
// None before the first pod; from then on as many as SPARES_MAX, made again a moment after a start, when the machine has nothing better to do.
import type { Clock, Logger } from "#core";
import { EngineGoneError } from "../engine.ts";
import { Lull } from "../lull.ts";
import type { ContainerState } from "./pod-network.ts";

export interface SpareNetworksOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes one that runs, under a name that says that it is nobody's. */
  readonly make: () => Promise<ContainerState>;
  /** All that are nobody's, also what a platform was making when it was killed. */
  readonly list: () => Promise<readonly { readonly id: string; readonly isRunning: boolean }[]>;
  readonly inspect: (id: string) => Promise<ContainerState | undefined>;
  /** Names it after its pod, so that it is found again. */
  readonly rename: (id: string, name: string) => Promise<unknown>;
  readonly remove: (id: string) => Promise<void>;
}

const SPARES_MAX = 2;

export class SpareNetworks {
  readonly #options: SpareNetworksOptions;
  readonly #signal: AbortSignal;
  readonly #ids: string[] = [];
  readonly #lull: Lull;
  #filling = false;
  #tidying: Promise<void> | undefined;
  /** So many were given away so far. */
  #given = 0;
  /** Of those, given away and not named after their pods yet. */
  #naming = 0;

  constructor(options: SpareNetworksOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#lull = new Lull(options.clock);
  }

  /** Takes up what an earlier platform made ahead, and removes what is too many or was not finished. Nothing is made meanwhile; what is being made, tidies first. */
  tidy(): Promise<void> {
    if (this.#filling) return Promise.resolve();
    this.#tidying ??= this.#tidy().finally(() => (this.#tidying = undefined));
    return this.#tidying;
  }

  /** One that runs, called `name` from now on; undefined when there is none. Throws EngineGoneError; one with which anything else is wrong is not used. */
  async take(name: string): Promise<ContainerState | undefined> {
    for (let id = this.#ids.shift(); id !== undefined; id = this.#ids.shift()) {
      const state = await this.#named(id, name);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  async #named(id: string, name: string): Promise<ContainerState | undefined> {
    const { inspect, rename, remove, logger } = this.#options;
    this.#given++;
    this.#naming++;
    try {
      const [state] = await Promise.all([inspect(id), rename(id, name)]);
      if (state?.State.Running === true) return state;
    } catch (err) {
      if (err instanceof EngineGoneError) {
        this.#ids.unshift(id);
        throw err;
      }
      logger.debug("a network that was made ahead was not taken", { container: id, err });
    } finally {
      this.#naming--;
    }
    // It may have the name by now.
    await remove(id);
    return undefined;
  }

  /** A start is over: what is missing is made a moment after the last one. */
  refill(): void {
    this.#lull.disturb();
    if (!this.#filling) void this.#fill();
  }

  async #fill(): Promise<void> {
    const { make, logger } = this.#options;
    this.#filling = true;
    try {
      await this.#lull.come(this.#signal);
      await (this.#tidying ?? this.#tidy());
      while (this.#ids.length < SPARES_MAX && !this.#signal.aborted) {
        await this.#lull.come(this.#signal);
        const { Id } = await make();
        this.#ids.push(Id);
        logger.debug("a network was made ahead", { container: Id });
      }
    } catch (err) {
      if (!this.#signal.aborted) logger.warn("no network was made ahead", { err });
    }
    this.#filling = false;
  }

  /** What a list shows as nobody's may be a pod's that was not named yet: it is looked at only when none was given away meanwhile. */
  async #tidy(): Promise<void> {
    const { list, remove } = this.#options;
    const given = this.#given;
    if (this.#naming > 0) return;
    const all = await list();
    if (this.#given !== given) return;
    const strange = all.filter(({ id }) => !this.#ids.includes(id));
    const kept = strange.filter(({ isRunning }) => isRunning).slice(0, Math.max(0, SPARES_MAX - this.#ids.length));
    this.#ids.push(...kept.map(({ id }) => id));
    for (const each of strange) if (!kept.includes(each)) await remove(each.id);
  }
}
