// Credentials of the user who started Eider: the files of Docker and Podman, and the helper programs that these name.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger } from "#core";
import { DOCKER_HUB, fitting, helperFor, parseDockerConfig, secretAuths, type Credentials, type DockerConfig, type PullSecret } from "./docker-config.ts";
import type { Keychain } from "./pull-image.ts";

export interface UserKeychainOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const HELPER_MS = 10_000;
const HELPER_BYTES_MAX = 1 << 20;
/** A name is part of a program's; nothing else may come in by it. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Podman's places first, as its own tools read them, then Docker's. */
function filesOf({ home, env }: UserKeychainOptions): string[] {
  const runtime = env["XDG_RUNTIME_DIR"];
  const named = env["REGISTRY_AUTH_FILE"];
  return [
    ...(named === undefined || named === "" ? [] : [named]),
    ...(runtime === undefined || runtime === "" ? [] : [join(runtime, "containers", "auth.json")]),
    join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "containers", "auth.json"),
    join(env["DOCKER_CONFIG"] ?? join(home, ".docker"), "config.json"),
  ];
}

/** Read anew each time: who logs in is logged in. What cannot be read is told and left out. */
export function userKeychain(options: UserKeychainOptions): Keychain {
  return async (name, signal) => {
    const found: Credentials[] = [];
    for (const file of filesOf(options)) {
      const config = await configIn(file, options.logger);
      if (config === undefined) continue;
      const helper = helperFor(config, name.registry);
      const told = helper === undefined ? undefined : await askHelper({ ...options, helper, registry: name.registry }, signal);
      found.push(...(told === undefined ? [] : [told]), ...fitting(config.auths, name));
    }
    return found;
  };
}

/** Those of Secrets, in their order, before those of the next keychain. */
export function secretsKeychain(secrets: readonly PullSecret[], next: Keychain): Keychain {
  const auths = secrets.map(secretAuths);
  return async (name, signal) => [...auths.flatMap((each) => fitting(each, name)), ...(await next(name, signal))];
}

async function configIn(file: string, logger: Logger): Promise<DockerConfig | undefined> {
  try {
    return parseDockerConfig(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") logger.warn("credentials for registries were not read", { file, err: error });
    return undefined;
  }
}

interface HelperCall extends UserKeychainOptions {
  readonly helper: string;
  readonly registry: string;
}

/** Docker's protocol of helpers: the registry goes in, JSON comes out. Undefined when it has nothing, fails, or takes too long. */
async function askHelper(call: HelperCall, signal: AbortSignal): Promise<Credentials | undefined> {
  const { helper, registry, clock, logger } = call;
  if (!HELPER_NAME.test(helper)) return undefined;
  const over = new AbortController();
  const limit = clock.sleep(HELPER_MS, over.signal).then(
    () => over.abort(new Error(`no answer within ${HELPER_MS / 1000} s`)),
    () => undefined,
  );
  try {
    const server = registry === DOCKER_HUB ? "https://index.docker.io/v1/" : registry;
    const answer = JSON.parse(await outputOf(call, server, AbortSignal.any([signal, over.signal]))) as { readonly Username?: string; readonly Secret?: string };
    const { Username: username = "", Secret: secret = "" } = answer;
    return username === "<token>" ? { username: "", password: "", identityToken: secret } : { username, password: secret };
  } catch (error) {
    if (!(error instanceof NoCredentials)) logger.warn("a credential helper failed", { program: `docker-credential-${helper}`, registry, err: error });
    return undefined;
  } finally {
    over.abort();
    await limit;
  }
}

class NoCredentials extends Error {}

function outputOf({ helper, env }: HelperCall, server: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, ["get"], {
      env: env as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.length > HELPER_BYTES_MAX) child.kill("SIGKILL");
    });
    child.once("error", reject);
    // A helper that does not read has its reasons.
    child.stdin.on("error", () => undefined).end(server);
    child.once("close", (code) => {
      if (code === 0) return resolve(output);
      const isNone = /credentials not found|no credentials server URL|no credentials username/i.test(output);
      reject(isNone ? new NoCredentials() : new Error(`exit code ${code}: ${output.trim().slice(0, 200)}`));
    });
  });
}
