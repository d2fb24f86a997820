// Where images come from, joined with the API: Secrets and settings live, the user's own credentials, the store when there is one.
import { homedir } from "node:os";
import type { Client } from "#client";
import type { ResolveDigest } from "#controllers";
import type { Clock, Logger, Rng } from "#core";
import {
  createImagePuller,
  digestFrom,
  platformOf,
  secretsKeychain,
  Transport,
  userKeychain,
  type DigestSources,
  type ImagePuller,
  type ImageStore,
  type Keychain,
  type RegistryClient,
} from "#images";
import type { ServingConfig } from "#kinds";
import { pullSecrets } from "#runtimes/pull-secrets";
import { environment } from "./options.ts";

export interface ImageSourcesOptions {
  readonly client: () => Client;
  readonly settings: () => ServingConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

export interface Registries {
  readonly client: RegistryClient;
  readonly userKeychain: Keychain;
}

/** How registries are reached from this machine. */
export function registries({ settings, clock, rng, logger }: Omit<ImageSourcesOptions, "client">): Registries {
  const env = environment();
  return {
    client: {
      transport: new Transport(env),
      clock,
      rng,
      settings: () => {
        const { registryMirrors: mirrors, insecureRegistries: insecure, registryCa: ca } = settings().eiderImages;
        return { mirrors, insecure, ca };
      },
    },
    userKeychain: userKeychain({ home: homedir(), env, clock, logger }),
  };
}

/** Digests of Revisions' images: from what is on this machine where that knows better, else from their registries. */
export function digestResolver(options: ImageSourcesOptions, its: Registries, here: Pick<DigestSources, "store" | "daemon"> = {}): ResolveDigest {
  return ({ image, timeoutMs, ...access }, signal) => {
    const keychain: Keychain = async (name, over) => secretsKeychain(await pullSecrets(options.client(), access), its.userKeychain)(name, over);
    return digestFrom({ client: its.client, ...here }, { image, keychain, timeoutMs }, signal);
  };
}

/** What pods get their images from. */
export function imagePuller(store: ImageStore, { client }: Registries): ImagePuller {
  return createImagePuller({ store, client, platform: platformOf(process) });
}
