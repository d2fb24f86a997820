// Images for pods that are about to start: from the store, or pulled into it, with the kubelet's policies, reasons and back-off.
//
// policy         the store has it   then
// Never          yes / no           used / waits, ErrImageNeverPull
// IfNotPresent   yes / no           used / pulled
// Always         yes / no           asked for anew, and pulled when it changed
// Names with a digest, names that were built or pushed here, and names that no registry can know are never asked for anew.
import { createHash } from "node:crypto";
import { parseImageName, type ImageName } from "../image-name.ts";
import type { ImageStore } from "../image-store.ts";
import type { Platform } from "../platform-choice.ts";
import { pullImage, remoteDigest, type Keychain, type PulledImage, type PullProgress, type RegistryClient } from "./pull-image.ts";
import { RegistryError } from "./registry-error.ts";

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

export interface ImageWanted {
  readonly image: string;
  readonly policy: PullPolicy;
  /** For whom; its failures are counted for its back-off. */
  readonly owner: string;
  readonly keychain: Keychain;
  readonly onProgress?: (progress: PullProgress) => void;
  /** What the kubelet would write as an Event. */
  readonly onEvent?: (event: PullEvent) => void;
}

export interface PullEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "Pulling" | "Pulled" | "Failed" | "BackOff" | "ErrImageNeverPull" | "InspectFailed";
  readonly message: string;
}

export type ImageOutcome =
  | { readonly digest: string }
  /** Monotonic milliseconds: ask again then. */
  | { readonly waiting: { readonly reason: string; readonly message: string }; readonly retryAtMs: number };

/** What pods get their images from. */
export interface ImagePuller {
  /** Resolves with a digest that the store has, or with why the container waits. Rejects only when the signal aborts. */
  ensure(wanted: ImageWanted, signal: AbortSignal): Promise<ImageOutcome>;
  /** Nobody waits for this owner's images any more. */
  forget(owner: string): void;
}

export interface ImagePullerOptions {
  readonly store: ImageStore;
  readonly client: RegistryClient;
  readonly platform: Platform;
}

const BACKOFF = { baseMs: 10_000, maxMs: 300_000 } as const;
/** How long a failure shows as such before it shows as a back-off. */
const FAILURE_SHOWN_MS = 2_000;
const LOOK_AGAIN_MS = 5_000;
const OWNERS_MAX = 10_000;

interface Failures {
  readonly count: number;
  readonly untilMs: number;
  readonly reason: string;
  readonly message: string;
}

export function createImagePuller(options: ImagePullerOptions): ImagePuller {
  return new Puller(options);
}

class Puller implements ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #running = new Map<string, Running>();
  readonly #failures = new Map<string, Map<string, Failures>>();

  constructor(options: ImagePullerOptions) {
    this.#options = options;
  }

  forget(owner: string): void {
    this.#failures.delete(owner);
  }

  async ensure(wanted: ImageWanted, signal: AbortSignal): Promise<ImageOutcome> {
    const { image, policy, onEvent } = wanted;
    const { store } = this.#options;
    const name = parseImageName(image);
    if (name === undefined) return this.#invalid(wanted);
    const present = await store.resolve(image);
    if (present !== undefined && (policy !== "Always" || name.digest !== undefined || store.isOwn(name))) return { digest: present };
    if (policy === "Never") {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      onEvent?.({ type: "Warning", reason: "ErrImageNeverPull", message });
      return { waiting: { reason: "ErrImageNeverPull", message }, retryAtMs: this.#nowMs + LOOK_AGAIN_MS };
    }
    const before = this.#failures.get(wanted.owner)?.get(image);
    if (before !== undefined && this.#nowMs < before.untilMs) return this.#backingOff(wanted, before);
    if (store.isOwn(name)) return this.#failed(wanted, "ErrImagePull", notHere(image));
    return this.#pull(wanted, name, { present, signal });
  }

  get #nowMs(): number {
    return this.#options.client.clock.monotonicMs();
  }

  async #pull(
    wanted: ImageWanted,
    name: ImageName,
    { present, signal }: { readonly present: string | undefined; readonly signal: AbortSignal },
  ): Promise<ImageOutcome> {
    const { client, store } = this.#options;
    const { image, keychain, onEvent } = wanted;
    const beganMs = this.#nowMs;
    onEvent?.({ type: "Normal", reason: "Pulling", message: `Pulling image "${image}"` });
    try {
      if (present !== undefined && (await remoteDigest(client, name, keychain, signal)) === present) {
        onEvent?.({ type: "Normal", reason: "Pulled", message: pulledText(image, this.#nowMs - beganMs, 0) });
        this.#succeeded(wanted);
        return { digest: present };
      }
      const { digest, bytes } = await this.#shared(wanted, name, signal);
      if ((await store.resolve(`${name.registry}/${name.repository}@${digest}`)) === undefined)
        throw new RegistryError("damaged", `${image} was removed while it was pulled`);
      onEvent?.({ type: "Normal", reason: "Pulled", message: pulledText(image, this.#nowMs - beganMs, bytes) });
      this.#succeeded(wanted);
      return { digest };
    } catch (error) {
      signal.throwIfAborted();
      const message = (error as Error).message;
      const isAway = error instanceof RegistryError && error.kind === "unreachable";
      if (isAway) return this.#failed(wanted, "RegistryUnavailable", `image pull failed for ${image} because the registry is unavailable: ${message}`);
      return this.#failed(wanted, "ErrImagePull", `failed to pull image "${image}": ${message}`);
    }
  }

  /** Pods that want one image with the same credentials pull it once. The pull ends when all of them have gone. */
  async #shared(wanted: ImageWanted, name: ImageName, signal: AbortSignal): Promise<PulledImage> {
    const { client, store, platform } = this.#options;
    const credentials = await wanted.keychain(name, signal);
    const key = createHash("sha256")
      .update(`${name.full}\n${JSON.stringify(credentials)}`)
      .digest("hex");
    let running = this.#running.get(key);
    if (running === undefined) {
      const fresh = new Running();
      fresh.start((over) => pullImage(client, { store, name, platform, keychain: wanted.keychain, onProgress: (progress) => fresh.tell(progress) }, over));
      this.#running.set(key, fresh);
      void fresh.done.catch(() => undefined).finally(() => this.#running.delete(key));
      running = fresh;
    }
    return running.join(wanted.onProgress, signal);
  }

  #succeeded({ owner, image }: ImageWanted): void {
    const failures = this.#failures.get(owner);
    failures?.delete(image);
    if (failures?.size === 0) this.#failures.delete(owner);
  }

  #failed({ owner, image, onEvent }: ImageWanted, reason: string, message: string): ImageOutcome {
    if (!this.#failures.has(owner) && this.#failures.size >= OWNERS_MAX) this.#failures.delete(this.#failures.keys().next().value ?? "");
    const failures = this.#failures.get(owner) ?? new Map<string, Failures>();
    this.#failures.set(owner, failures);
    const count = failures.get(image)?.count ?? 0;
    const untilMs = this.#nowMs + Math.min(BACKOFF.maxMs, BACKOFF.baseMs * 2 ** Math.min(count, 10));
    failures.set(image, { count: count + 1, untilMs, reason, message });
    onEvent?.({ type: "Warning", reason: "Failed", message: `Failed to pull image "${image}": ${message}` });
    onEvent?.({ type: "Warning", reason: "Failed", message: `Error: ${reason}` });
    return { waiting: { reason, message }, retryAtMs: this.#nowMs + FAILURE_SHOWN_MS };
  }

  #backingOff({ image, onEvent }: ImageWanted, { reason, message, untilMs }: Failures): ImageOutcome {
    const text = `Back-off pulling image "${image}"`;
    onEvent?.({ type: "Normal", reason: "BackOff", message: text });
    onEvent?.({ type: "Warning", reason: "Failed", message: "Error: ImagePullBackOff" });
    return { waiting: { reason: "ImagePullBackOff", message: `${text}: ${reason}: ${message}` }, retryAtMs: untilMs };
  }

  #invalid({ image, onEvent }: ImageWanted): ImageOutcome {
    const message = `Failed to apply default image tag ${JSON.stringify(image)}: couldn't parse image name ${JSON.stringify(image)}: invalid reference format`;
    onEvent?.({ type: "Warning", reason: "InspectFailed", message });
    return { waiting: { reason: "InvalidImageName", message }, retryAtMs: this.#nowMs + BACKOFF.maxMs };
  }
}

/** What is said of a name that no registry can know. */
export function notHere(image: string): string {
  return `failed to resolve image "${image}": it is not in the local image store; build it with: eider build DIR --image ${image}`;
}

function pulledText(image: string, ms: number, bytes: number): string {
  const seconds = ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3).replace(/\.?0+$/, "")}s`;
  return `Successfully pulled image "${image}" in ${seconds} (${seconds} including waiting). Image size: ${bytes} bytes.`;
}

/** One pull and those who wait for it. */
class Running {
  readonly #over = new AbortController();
  readonly #listeners = new Set<(progress: PullProgress) => void>();
  #waiting = 0;
  #last: PullProgress | undefined;
  #done = Promise.withResolvers<PulledImage>();

  get done(): Promise<PulledImage> {
    return this.#done.promise;
  }

  start(pull: (signal: AbortSignal) => Promise<PulledImage>): void {
    pull(this.#over.signal).then(this.#done.resolve, this.#done.reject);
  }

  tell(progress: PullProgress): void {
    this.#last = progress;
    for (const listener of this.#listeners) listener(progress);
  }

  async join(onProgress: ((progress: PullProgress) => void) | undefined, signal: AbortSignal): Promise<PulledImage> {
    this.#waiting++;
    if (onProgress !== undefined) {
      this.#listeners.add(onProgress);
      if (this.#last !== undefined) onProgress(this.#last);
    }
    const gone = Promise.withResolvers<never>();
    const leave = (): void => gone.reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([this.#done.promise, gone.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      if (onProgress !== undefined) this.#listeners.delete(onProgress);
      if (--this.#waiting === 0) this.#over.abort();
    }
  }
}
