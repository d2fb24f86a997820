// The one thing a Revision needs from outside the API: digests of its images (serving.md §2.4).
import { backoffMs, type BackoffPolicy, type Clock, type Rng } from "#core";
import type { ObjectKey } from "#schema";
import { parseImage } from "./image-reference.ts";

/** What became of one image: `digest` is `sha256:…` or a whole reference with one. */
export type ResolvedDigest = { readonly digest: string } | { readonly error: string };
/** One image, with what says as whom its registry is asked. */
export interface DigestRequest extends PullAccess {
  readonly image: string;
  readonly namespace: string;
  readonly timeoutMs: number;
}
export type ResolveDigest = (request: DigestRequest, signal: AbortSignal) => Promise<ResolvedDigest>;

/** Whose Secrets open a Revision's registries: its own, and those of its service account. */
export interface PullAccess {
  readonly serviceAccountName: string;
  readonly imagePullSecrets: readonly string[];
}

export interface ResolveDigests {
  readonly do: "resolveDigests";
  readonly key: ObjectKey;
  readonly uid: string;
  readonly images: readonly string[];
  readonly access: PullAccess;
  /** `digest-resolution-timeout`, for each image. */
  readonly timeoutMs: number;
}

/** What is known about the images of a Revision. `digests` maps images to references with a digest. */
export type Resolution =
  | { readonly state: "running" }
  | { readonly state: "resolved"; readonly digests: Readonly<Record<string, string>> }
  | { readonly state: "failed"; readonly message: string; readonly retryAtMs: number };

export interface DigestResolverOptions {
  readonly resolveDigest: ResolveDigest;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Wakes the Revision once its images are resolved or have failed. */
  readonly wake: (key: ObjectKey) => void;
}

/** As Knative retries an image: 1 s, 2 s, 4 s … */
const RETRY: BackoffPolicy = { baseMs: 1000, maxMs: 1_000_000, jitter: 0 };
const RUNNING_MAX = 100;

function placed(image: string, digest: string): string {
  return digest.includes("@") ? digest : `${parseImage(image).repository}@${digest}`;
}

/** Resolves in the background, for at most a hundred Revisions at a time; forgetting a result means resolving again. */
export class DigestResolver {
  readonly #options: DigestResolverOptions;
  readonly #known = new Map<string, { readonly uid: string; readonly attempts: number; readonly resolution: Resolution }>();
  #running = 0;

  constructor(options: DigestResolverOptions) {
    this.#options = options;
  }

  of(key: ObjectKey, uid: string): Resolution | undefined {
    const known = this.#known.get(`${key.namespace}/${key.name}`);
    return known?.uid === uid ? known.resolution : undefined;
  }

  forget(key: ObjectKey): void {
    this.#known.delete(`${key.namespace}/${key.name}`);
  }

  /** Returns at once; does nothing while too many run, or this one does. */
  start(asked: ResolveDigests, signal: AbortSignal): void {
    const { key, uid } = asked;
    if (this.#running >= RUNNING_MAX || this.of(key, uid)?.state === "running") return;
    const id = `${key.namespace}/${key.name}`;
    const before = this.#known.get(id);
    const attempts = before?.uid === uid ? before.attempts : 0;
    this.#known.set(id, { uid, attempts, resolution: { state: "running" } });
    this.#running++;
    void this.#resolve(asked, attempts, signal).then((resolution) => {
      this.#running--;
      if (this.#known.get(id)?.uid !== uid) return;
      this.#known.set(id, { uid, attempts: attempts + 1, resolution });
      this.#options.wake(key);
    });
  }

  async #resolve({ key, images, access, timeoutMs }: ResolveDigests, attempts: number, signal: AbortSignal): Promise<Resolution> {
    const { clock, resolveDigest, rng } = this.#options;
    const distinct = [...new Set(images)];
    const results = await Promise.all(
      distinct.map((image) =>
        resolveDigest({ image, namespace: key.namespace, timeoutMs, ...access }, signal).catch((error: unknown) => ({
          error: error instanceof Error ? error.message : String(error),
        })),
      ),
    );
    const digests: Record<string, string> = {};
    for (const [index, image] of distinct.entries()) {
      const result = results[index] ?? { error: "no answer" };
      if ("error" in result) {
        const message = `Unable to fetch image "${image}": failed to resolve image to digest: ${result.error}`;
        return { state: "failed", message, retryAtMs: clock.monotonicMs() + backoffMs(RETRY, attempts, rng) };
      }
      digests[image] = placed(image, result.digest);
    }
    return { state: "resolved", digests };
  }
}
