// The digest behind an image's name: from what is on this machine where no registry can know better, else from its registry.
import type { Clock } from "#core";
import { parseImageName } from "../image-name.ts";
import type { ImageStore } from "../image-store.ts";
import { remoteDigest, type Keychain, type RegistryClient } from "./pull-image.ts";
import { DeadlineExceeded, RegistryError } from "./registry-error.ts";

export type RegistryAnswer = { readonly digest: string } | { readonly error: string };

/** Images of a Docker or Podman daemon, as far as names are concerned. */
export interface DaemonImages {
  /** Whether the daemon can run the name without asking a registry. */
  has(name: string, signal: AbortSignal): Promise<boolean>;
  /**
   * The id (`sha256:…`) under which the daemon runs an image that it alone holds: built or loaded there, never pulled from or pushed
   * to a registry. Undefined for other images, also for those of a registry, and while there is no daemon.
   */
  digestOf(name: string, signal: AbortSignal): Promise<string | undefined>;
}

export interface DigestSources {
  /** Undefined on a cluster, which has no store of ours. */
  readonly store?: ImageStore;
  readonly daemon?: DaemonImages;
  readonly client: RegistryClient;
}

export interface DigestQuestion {
  readonly image: string;
  readonly keychain: Keychain;
  readonly timeoutMs: number;
}

/** Never rejects: a failure is told in the words of go-containerregistry. */
export async function digestFrom(
  { store, daemon, client }: DigestSources,
  { image, keychain, timeoutMs }: DigestQuestion,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  const name = parseImageName(image);
  if (name === undefined) return { error: `failed to parse image name ${JSON.stringify(image)} into a tag: could not parse reference: ${image}` };
  if (name.digest !== undefined) return { digest: name.digest };
  const known = await store?.resolve(image);
  if (known !== undefined && store?.isOwn(name) === true) return { digest: known };
  return withDeadline(client.clock, timeoutMs, signal, async (either) => {
    const held = await daemon?.digestOf(image, either).catch(() => undefined);
    if (held !== undefined) return { digest: held };
    if (store?.isOwn(name) === true) {
      return { error: `image "${image}" is not in the platform's store; build it with: eider build DIR --image ${image}` };
    }
    try {
      return { digest: await remoteDigest(client, name, keychain, either) };
    } catch (error) {
      // What was pulled before serves while its registry is away: a laptop on a train starts what it has.
      if (known !== undefined && error instanceof RegistryError && error.kind === "unreachable") return { digest: known };
      return { error: error instanceof Error ? error.message : String(error) };
    }
  });
}

async function withDeadline<T>(clock: Clock, ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const over = new AbortController();
  void clock.sleep(ms, over.signal).then(
    () => deadline.abort(new DeadlineExceeded()),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, deadline.signal]));
  } finally {
    over.abort();
  }
}
