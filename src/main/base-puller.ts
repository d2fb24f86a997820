// Bases of builds from their registries, with the logins of the user who builds.
import { homedir } from "node:os";
import { silentLogger } from "#core";
import { createSystemRng, systemClock } from "#host";
import { createImagePuller, ImageError, platformOf, Transport, userKeychain, type ImageStore } from "#images";
import { environment } from "./options.ts";

/** Answers the digest of an image that the store has from then on; throws ImageError with the registry's words. */
export function basePuller(store: ImageStore, progress: (line: string) => void): (image: string, signal: AbortSignal) => Promise<string> {
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
