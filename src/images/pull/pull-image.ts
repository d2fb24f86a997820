// A whole image from a registry into the store: manifest, config, layers side by side; mirrors before the registry itself.
import type { Clock, Rng } from "#core";
import type { ImageName } from "../image-name.ts";
import type { ImageStore } from "../image-store.ts";
import { parseDigest } from "../digest.ts";
import type { Descriptor } from "../oci.ts";
import type { Platform } from "../platform-choice.ts";
import type { Credentials } from "./docker-config.ts";
import { downloadBlob } from "./download-blob.ts";
import { endpointsFor, type RegistrySettings } from "./endpoints.ts";
import { fetchManifest, headManifest, parse, type RemoteImage } from "./manifests.ts";
import { RegistryError } from "./registry-error.ts";
import { RegistrySession } from "./registry-session.ts";
import type { Transport } from "./transport.ts";

/** Credentials for a repository, the best first. */
export type Keychain = (name: Pick<ImageName, "registry" | "repository">, signal: AbortSignal) => Promise<readonly Credentials[]>;

export interface RegistryClient {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly settings: () => RegistrySettings;
}

export interface PullProgress {
  readonly layers: number;
  readonly layersDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
}

export interface PullTarget {
  readonly store: ImageStore;
  readonly name: ImageName;
  readonly platform: Platform;
  readonly keychain: Keychain;
  readonly onProgress: (progress: PullProgress) => void;
}

export interface PulledImage {
  readonly digest: string;
  /** Of all its blobs. */
  readonly bytes: number;
}

/** As many layers of one image at a time as Docker and containerd fetch. */
const LAYERS_AT_ONCE = 3;
const LAYERS_MAX = 1_000;

/** Does something at each endpoint until one can; the registry's own complaint counts in the end. */
async function atAnEndpoint<T>(
  client: RegistryClient,
  its: { readonly name: ImageName; readonly keychain: Keychain },
  use: (session: RegistrySession) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { registry, repository } = its.name;
  let failure: unknown;
  for (const endpoint of endpointsFor(registry, client.settings())) {
    try {
      const credentials = await its.keychain({ registry: endpoint.host, repository }, signal);
      return await use(await RegistrySession.open(client, { endpoint, repository, credentials }, signal));
    } catch (error) {
      if (!(error instanceof RegistryError) || signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** The digest behind a tag. Throws RegistryError. */
export function remoteDigest(client: RegistryClient, name: ImageName, keychain: Keychain, signal: AbortSignal): Promise<string> {
  return atAnEndpoint(client, { name, keychain }, (session) => headManifest(session, name, signal), signal);
}

/** Fetches what the store does not have, and notes the name. Throws RegistryError, or the disk's own errors. */
export function pullImage(client: RegistryClient, target: PullTarget, signal: AbortSignal): Promise<PulledImage> {
  return atAnEndpoint(client, target, (session) => pullFrom(session, { client, target }, signal), signal);
}

async function pullFrom(
  session: RegistrySession,
  { client, target }: { readonly client: RegistryClient; readonly target: PullTarget },
  signal: AbortSignal,
): Promise<PulledImage> {
  const { store, name, platform, onProgress } = target;
  const image = await fetchManifest(session, name, platform, signal);
  const { config, layers } = manifestOf(image, name.full);
  const blobs = [...new Map([config, ...layers].map((blob) => [blob.digest, blob])).values()];
  const here = new Map<string, number>();
  const bytes = sum(blobs.map(({ size }) => size));
  const report = (): void =>
    onProgress({
      layers: layers.length,
      layersDone: layers.filter(({ digest, size }) => here.get(digest) === size).length,
      bytes,
      bytesDone: sum([...here.values()]),
    });
  report();
  await severalAtOnce(
    blobs,
    (descriptor, either) => {
      const onBytes = (done: number): void => {
        here.set(descriptor.digest, done);
        report();
      };
      return downloadBlob({ store, session, clock: client.clock, rng: client.rng, descriptor, onBytes }, either);
    },
    signal,
  );
  // The manifest comes last: whoever finds it finds all that it names.
  for (const { bytes: document, digest } of [image.manifest, image.root]) await store.blobs.put(document, parseDigest(digest)?.algorithm);
  await store.pulled.set(name.full, image.digest);
  return { digest: image.digest, bytes };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

function manifestOf({ manifest }: RemoteImage, what: string): { readonly config: Descriptor; readonly layers: readonly Descriptor[] } {
  const { config, layers } = parse(manifest, what);
  if (config === undefined || layers === undefined || layers.length > LAYERS_MAX) {
    throw new RegistryError("damaged", `the manifest ${manifest.digest} of ${what} is not one of an image`);
  }
  return { config, layers };
}

/** The first failure ends the others, and is waited for. */
async function severalAtOnce<T>(items: readonly T[], work: (item: T, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const queue = [...items];
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && !either.aborted; item = queue.shift()) {
      await work(item, either).catch((error: unknown) => {
        failure ??= { error };
        over.abort();
      });
    }
  };
  await Promise.all(Array.from({ length: LAYERS_AT_ONCE }, worker));
  if (failure !== undefined) throw failure.error;
  signal.throwIfAborted();
}
