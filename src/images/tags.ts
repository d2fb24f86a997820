// Tags as files: the name of a file is a full name with its tag, its content a digest.
import { readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDigest } from "./digest.ts";
import { syncFolder, writeWhole } from "./files.ts";
import { absent } from "./image-error.ts";

export interface ImageEntry {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

export class Tags {
  readonly #dir: string;

  /** `pulled` holds what registries said of names when they were last pulled, in the same form. */
  constructor(dir: string, folder: "tags" | "pulled" = "tags") {
    this.#dir = join(dir, folder);
  }

  /** Does not leave this turn of the loop. */
  get(full: string): string | undefined {
    try {
      const digest = readFileSync(this.#file(full), "utf8").trim();
      return isDigest(digest) ? digest : undefined;
    } catch (error) {
      return absent(error);
    }
  }

  async set(full: string, digest: string): Promise<void> {
    await writeWhole(this.#file(full), `${digest}\n`);
  }

  async remove(full: string): Promise<void> {
    await rm(this.#file(full), { force: true });
    await syncFolder(this.#dir);
  }

  /** Sorted by name. */
  async list(): Promise<readonly ImageEntry[]> {
    const files = (await readdir(this.#dir)).filter((name) => !name.endsWith(".tmp")).toSorted();
    const entries = files.map(async (file) => ({
      name: decodeURIComponent(file),
      digest: (await readFile(join(this.#dir, file), "utf8").catch(absent))?.trim() ?? "",
    }));
    return (await Promise.all(entries)).filter((entry) => isDigest(entry.digest));
  }

  /** The tags of one repository, in the order of their bytes. */
  async ofRepository(repository: string): Promise<readonly string[]> {
    const prefix = encodeURIComponent(`${repository}:`);
    const files = (await readdir(this.#dir)).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp"));
    return files.map((file) => decodeURIComponent(file.slice(prefix.length))).toSorted((a, b) => (a < b ? -1 : 1));
  }

  #file(full: string): string {
    return join(this.#dir, encodeURIComponent(full));
  }
}
