// The engines of this machine, and which of them a pod gets.
import type { Logger } from "#core";
import { BASE_LABEL, type ImageStore } from "#images";
import type { CoreContainer, Pod, PodSpec } from "#kinds";
import { RUNTIME_ANNOTATION } from "../addresses.ts";
import type { ContainerEngine, EngineContainer } from "../engine.ts";
import { chooseEngine, type EngineQuestion } from "./choose-engine.ts";
import { PodSandboxError } from "./pod-engine.ts";

const REMEMBERED_MAX = 1_000;

export interface Adopted {
  readonly engine: ContainerEngine;
  readonly containers: readonly EngineContainer[];
}

/** Answers the digest of a container's image, fetched by this engine; throws when it is not to be had now. */
export type FetchImage = (engine: ContainerEngine, container: CoreContainer) => Promise<string>;

export class Engines {
  readonly #engines: readonly ContainerEngine[];
  readonly #images: ImageStore;
  readonly #logger: Logger;
  /** By digest, so that a pod's start reads no documents. */
  readonly #hostBuilt = new Map<string, boolean>();
  readonly #found = new Map<string, Adopted>();

  constructor(engines: readonly ContainerEngine[], { images, logger }: { readonly images: ImageStore; readonly logger: Logger }) {
    this.#engines = engines;
    this.#images = images;
    this.#logger = logger;
  }

  /** Asks all engines what they run; `adopted` knows it from then on. */
  async list(): Promise<void> {
    for (const engine of this.#engines) {
      for (const container of await engine.list()) {
        const uid = container.id.split("/")[0] ?? "";
        const known = this.#found.get(uid)?.containers ?? [];
        this.#found.set(uid, { engine, containers: [...known, container] });
      }
    }
  }

  /** What an earlier platform started for the pod; undefined for a new one. Told once. */
  adopted({ metadata: { uid, annotations } }: Pod): Adopted | undefined {
    const found = this.#found.get(uid);
    this.#found.delete(uid);
    if (found !== undefined) return found;
    const recorded = this.#engines.find(({ name }) => name === annotations?.[RUNTIME_ANNOTATION]);
    return recorded === undefined ? undefined : { engine: recorded, containers: [] };
  }

  async sweep(podUids: ReadonlySet<string>): Promise<void> {
    this.#found.clear();
    for (const engine of this.#engines)
      await engine.sweep(podUids).catch((error: unknown) => this.#logger.warn("what has no pod was not removed", { runtime: engine.name, err: error }));
  }

  /** At once where there is nothing to look up. What an image is for is known when it is here: then only. Throws PodSandboxError, and what `fetch` throws. */
  choose({ metadata, spec }: Pod, fetch: FetchImage): ContainerEngine | Promise<ContainerEngine> {
    const recorded = metadata.annotations?.[RUNTIME_ANNOTATION];
    const here = this.#here();
    const [only] = here instanceof Promise ? [] : here;
    if (!(here instanceof Promise) && here.length === 1 && only !== undefined && recorded === undefined && (spec.runtimeClassName ?? "") === "") return only;
    return this.#choose(spec, { here, recorded, fetch });
  }

  /** What the engine of such pods does not honour; nothing for pods that no engine takes. */
  async notHonoured(spec: PodSpec, path: string): Promise<readonly string[]> {
    const engine = await this.#choose(spec, { here: this.#here() }).catch(() => undefined);
    return engine?.notHonoured(spec, path) ?? [];
  }

  /** Those that can run pods now; a value unless one of them has to look. */
  #here(): readonly ContainerEngine[] | Promise<readonly ContainerEngine[]> {
    const answers = this.#engines.map((engine) => engine.isHere?.() ?? true);
    const those = (all: readonly boolean[]): readonly ContainerEngine[] => this.#engines.filter((_engine, index) => all[index] === true);
    return answers.every((answer) => typeof answer === "boolean") ? those(answers) : Promise.all(answers.map((answer) => Promise.resolve(answer))).then(those);
  }

  async #choose(spec: PodSpec, { here: asked, recorded, fetch }: Choosing): Promise<ContainerEngine> {
    const here = await asked;
    const isAsked = recorded !== undefined || (spec.runtimeClassName ?? "") !== "";
    const hostBuilt = !isAsked && (await this.#areHostBuilt(spec, here, fetch));
    return engineFor({ recorded, spec, hostBuilt }, here);
  }

  /** One that is not decides; the images after it are left to the engine. What is not here is fetched by the engine that runs it if it is not: that knows a daemon's own, too. */
  async #areHostBuilt(spec: PodSpec, here: readonly ContainerEngine[], fetch: FetchImage | undefined): Promise<boolean> {
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      const stored = await this.#images.resolve(container.image ?? "");
      const digest = stored ?? (await fetch?.(engineFor({ recorded: undefined, spec, hostBuilt: false }, here), container));
      if (digest === undefined || !(await this.#isHostBuilt(digest))) return false;
    }
    return true;
  }

  async #isHostBuilt(digest: string): Promise<boolean> {
    const known = this.#hostBuilt.get(digest);
    if (known !== undefined) return known;
    const config = await this.#images.config(digest).catch(() => undefined);
    const built = config?.config.Labels?.[BASE_LABEL] !== undefined;
    if (this.#hostBuilt.size >= REMEMBERED_MAX) this.#hostBuilt.clear();
    this.#hostBuilt.set(digest, built);
    return built;
  }
}

interface Choosing {
  readonly here: readonly ContainerEngine[] | Promise<readonly ContainerEngine[]>;
  readonly recorded?: string | undefined;
  readonly fetch?: FetchImage;
}

function engineFor(question: Omit<EngineQuestion, "available">, here: readonly ContainerEngine[]): ContainerEngine {
  const answer = chooseEngine({ ...question, available: here.map(({ name }) => name) });
  if ("complaint" in answer) throw new PodSandboxError(answer.complaint);
  return here.find(({ name }) => name === answer.runtime) as ContainerEngine;
}
