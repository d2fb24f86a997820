// What builds need of this machine: its environment and Node, registries with the user's own logins, and a daemon for Dockerfiles.
import { homedir } from "node:os";
import { silentLogger } from "#core";
import { createSystemRng, systemClock } from "#host";
import { buildImage, createImagePuller, ImageError, platformOf, Transport, userKeychain, type BuildOptions, type BuiltImage, type ImageStore } from "#images";
import { findDaemon, type DaemonFound } from "#runtimes";
import { environment } from "./options.ts";

/** Throws ImageError. */
export async function buildWithTools(asked: Omit<BuildOptions, "env" | "nodePath" | "pull" | "daemon">, signal: AbortSignal): Promise<BuiltImage> {
  const env = environment();
  let found: DaemonFound | undefined;
  const daemon = async (): Promise<DaemonFound["client"] | undefined> => {
    found = await findDaemon({ asked: "auto", env, clock: systemClock });
    return found?.client;
  };
  try {
    return await buildImage({ ...asked, env, nodePath: process.execPath, pull: basePuller(asked.store, asked.progress), daemon }, signal);
  } finally {
    found?.client.close();
  }
}

/** Answers the digest of an image that the store has from then on; throws ImageError with the registry's words. */
function basePuller(store: ImageStore, progress: (line: string) => void): (image: string, signal: AbortSignal) => Promise<string> {
  return async (image, signal) => {
    const clock = systemClock;
    const env = environment();
    const transport = new Transport(env);
    const client = { transport, clock, rng: createSystemRng(), settings: () => ({ mirrors: {}, insecure: [], ca: "" }) };
    const puller = createImagePuller({ store, client, platform: { ...platformOf(process), os: "linux" } });
    const keychain = userKeychain({ home: homedir(), env, clock, logger: silentLogger });
    try {
      const onEvent = ({ message }: { readonly message: string }): void => progress(message);
      const outcome = await puller.ensure({ image, policy: "IfNotPresent", owner: "build", keychain, onEvent }, signal);
      if ("digest" in outcome) return outcome.digest;
      throw new ImageError("NotFound", outcome.waiting.message);
    } finally {
      transport.close();
    }
  };
}
