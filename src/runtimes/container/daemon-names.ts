// Names of images as a daemon knows them: what it can run, and what it alone holds.
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import type { DaemonImage } from "./container-body.ts";
import type { LateDaemon } from "./late-daemon.ts";

/** Built or imported by Podman, never pushed or pulled: no registry has that name. */
const LOCAL = /^localhost\//;

export interface DaemonNames {
  /** Whether the daemon can run the name without asking a registry. */
  has(name: string, signal: AbortSignal): Promise<boolean>;
  /** The id of an image that the daemon alone holds; undefined for others, also for those that came from a registry. */
  digestOf(name: string, signal: AbortSignal): Promise<string | undefined>;
}

/** A daemon that is not there has nothing. */
export function daemonNames(daemon: Pick<LateDaemon, "look">): DaemonNames {
  const find = async (name: string, signal: AbortSignal): Promise<DaemonImage | undefined> => {
    const there = await daemon.look();
    return there === undefined ? undefined : findImage(there.daemon.client, name, signal);
  };
  return {
    has: async (name, signal) => (await find(name, signal)) !== undefined,
    async digestOf(name, signal) {
      const found = await find(name, signal);
      return found !== undefined && isAlone(found) ? withAlgorithm(found.Id) : undefined;
    },
  };
}

/** What the daemon has under a name, an id or a name with a digest, which may be the id; undefined when it has nothing. */
export async function findImage(client: DaemonClient, name: string, signal?: AbortSignal): Promise<DaemonImage | undefined> {
  const found = await findExactly(client, name, signal);
  const digest = name.split("@")[1];
  return found ?? (digest === undefined ? undefined : findExactly(client, digest, signal));
}

async function findExactly(client: DaemonClient, name: string, signal?: AbortSignal): Promise<DaemonImage | undefined> {
  try {
    return await client.call<DaemonImage>({ method: "GET", path: `/images/${encodeURIComponent(name)}/json` }, signal);
  } catch (error) {
    // Podman answers 500 to a name that it cannot read.
    if (error instanceof DaemonError && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}

/** Docker notes the digest by which an image came or went; Podman notes one for every image, but names its own by `localhost/`. */
export function isAlone({ RepoDigests, RepoTags }: DaemonImage): boolean {
  return (RepoDigests ?? []).length === 0 || ((RepoTags ?? []).length > 0 && (RepoTags ?? []).every((tag) => LOCAL.test(tag)));
}

/** Podman leaves it out in places. */
export function withAlgorithm(id: string): string {
  return id.startsWith("sha256:") ? id : `sha256:${id}`;
}
