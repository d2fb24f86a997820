// The engine of one pod: chosen once, opened before the first start, closed after the last end; and what it gave the pod.
import { isDeepStrictEqual } from "node:util";
import type { CoreContainer, Pod } from "#kinds";
import { parseAddress, recordedAddresses, RUNTIME_ANNOTATION, type PodAddress } from "../addresses.ts";
import type { ContainerEngine, ImageAnswer, ImageWaiting, PodAddresses, PodPlace, RuntimeName } from "../engine.ts";
import type { FetchImage } from "./engines.ts";

/** The pod cannot be placed; the kubelet's reason is CreatePodSandboxError. */
export class PodSandboxError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "PodSandboxError";
  }
}

/** The pod has no engine yet because this container's image, which decides, is not here. */
export class ImageWaitError extends Error {
  readonly container: string;
  readonly answer: ImageWaiting;

  constructor(container: string, answer: ImageWaiting) {
    super(answer.waiting.message);
    this.name = "ImageWaitError";
    this.container = container;
    this.answer = answer;
  }
}

export interface OpenedPod {
  readonly engine: ContainerEngine;
  readonly place: PodPlace;
}

export interface PodEngineOptions {
  /** Of an earlier platform; undefined for a new pod. */
  readonly engine: ContainerEngine | undefined;
  /** Throws PodSandboxError, and what `fetch` throws. */
  readonly choose: (pod: Pod, fetch: FetchImage) => ContainerEngine | Promise<ContainerEngine>;
  /** Aborts when nothing is to be fetched any more. */
  readonly leaving: AbortSignal;
  readonly record: (pod: Pod, given: { readonly runtime: RuntimeName; readonly addresses: PodAddresses }) => void;
}

export class PodEngine {
  readonly #options: PodEngineOptions;
  #engine: ContainerEngine | undefined;
  /** Who was asked for an image before the pod had an engine. */
  #fetcher: ContainerEngine | undefined;
  /** By container, what was fetched so; the first start takes it, and the registry is not asked twice. */
  readonly #fetched = new Map<string, ImageAnswer>();
  #opening: Promise<OpenedPod> | undefined;
  #place: PodPlace | undefined;
  #addresses: PodAddresses;
  #recorded: boolean;

  constructor(options: PodEngineOptions, pod: Pod) {
    this.#options = options;
    this.#engine = options.engine;
    this.#addresses = recordedAddresses(pod);
    this.#recorded = pod.metadata.annotations?.[RUNTIME_ANNOTATION] !== undefined;
  }

  /** Undefined until it is chosen. */
  get engine(): ContainerEngine | undefined {
    return this.#engine;
  }

  /** Undefined until it is opened. */
  get place(): PodPlace | undefined {
    return this.#place;
  }

  get addresses(): PodAddresses {
    return this.#addresses;
  }

  /** Opens it unless that was done; throws PodSandboxError or ImageWaitError, and the next call tries again. */
  opened(pod: Pod): Promise<OpenedPod> {
    const opening = this.#opening ?? this.#open(pod);
    this.#opening = opening;
    opening.catch(() => (this.#opening = undefined));
    return opening;
  }

  /** What was opened is no more: the next call opens it anew. */
  lost(): void {
    this.#opening = undefined;
  }

  async #open(pod: Pod): Promise<OpenedPod> {
    const engine = this.#engine ?? (await this.#options.choose(pod, (...asked) => this.#fetch(pod, ...asked)));
    this.#engine = engine;
    try {
      const place = await engine.open(pod);
      this.#place = place;
      return { engine, place };
    } catch (error) {
      throw new PodSandboxError((error as Error).message, error);
    }
  }

  async #fetch(pod: Pod, engine: ContainerEngine, container: CoreContainer): Promise<string> {
    this.#fetcher = engine;
    const answer = await engine.image(pod, container, this.#options.leaving);
    if ("waiting" in answer) throw new ImageWaitError(container.name, answer);
    this.#fetched.set(container.name, answer);
    return answer.digest;
  }

  /** Finds or fetches the image of a container of the opened pod, unless that was done to open it. */
  async image(pod: Pod, container: CoreContainer, { engine }: OpenedPod): Promise<ImageAnswer> {
    const fetched = this.#fetched.get(container.name);
    this.#fetched.delete(container.name);
    return fetched ?? engine.image(pod, container, this.#options.leaving);
  }

  /** Once a pod, and again when an address can no longer be had; the record is written beside the start, not before it. */
  allocate(pod: Pod, { engine, place }: OpenedPod): PodAddresses {
    const addresses = engine.addresses(pod, place, this.#addresses);
    if (this.#recorded && isDeepStrictEqual(addresses, this.#addresses)) return addresses;
    this.#addresses = addresses;
    this.#recorded = true;
    this.#options.record(pod, { runtime: engine.name, addresses });
    return addresses;
  }

  /** Where a container port is reached; a port that was not declared, at the pod itself. */
  addressOf(port: number, { podIP }: Pick<PodPlace, "podIP">): PodAddress {
    return parseAddress(this.#addresses[String(port)] ?? "") ?? { host: podIP, port };
  }

  async close(pod: Pod): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await (this.#engine ?? this.#fetcher)?.close(pod);
  }
}
