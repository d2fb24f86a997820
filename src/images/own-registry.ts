// The names of our own registry: one in the store, whatever port it listens on, and the addresses that people write.
//
//   localhost:5000/hello      →  eider.local/hello       and back when it is shown
//   localhost:5000/dev.local/hello  →  dev.local/hello   a repository that begins with a host is that host's
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./files.ts";
import { absent } from "./image-error.ts";

/** Stands for the registry's address in names that are stored. */
export const OWN_REGISTRY = "eider.local";

/** Where the registry of this store can be reached, the best address first; other processes read it from the store's folder. */
export class OwnRegistry {
  readonly #file: string;
  #hosts: readonly string[];

  constructor(dir: string) {
    this.#file = join(dir, "hosts");
    this.#hosts = readHosts(this.#file);
  }

  get hosts(): readonly string[] {
    return this.#hosts;
  }

  async serveAs(hosts: readonly string[]): Promise<void> {
    this.#hosts = hosts;
    await writeWhole(this.#file, hosts.map((host) => `${host}\n`).join(""));
  }

  /** Whether images of this registry are in the store or nowhere. */
  owns(registry: string): boolean {
    return registry === OWN_REGISTRY || this.#hosts.includes(registry);
  }

  /** The name under which the store has it. */
  stored(full: string): string {
    const slash = full.indexOf("/");
    return this.owns(full.slice(0, slash)) ? storedName(full.slice(slash + 1)) : full;
  }

  /** The name that people can use. */
  shown(full: string): string {
    const [host] = this.#hosts;
    return host !== undefined && full.startsWith(`${OWN_REGISTRY}/`) ? `${host}${full.slice(OWN_REGISTRY.length)}` : full;
  }
}

/** What a repository of the registry's API is called in the store. */
export function storedName(path: string): string {
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  return first.includes(".") || first.includes(":") || first === "localhost" ? path : `${OWN_REGISTRY}/${path}`;
}

/** The reverse. */
export function servedName(full: string): string {
  return full.startsWith(`${OWN_REGISTRY}/`) ? full.slice(OWN_REGISTRY.length + 1) : full;
}

function readHosts(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch (error) {
    return absent(error) ?? [];
  }
}
