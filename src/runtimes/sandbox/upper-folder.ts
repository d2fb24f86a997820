// The writable layer of a container before its start: what has to be there so that something can be mounted on it, and the files that we give.
import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findIn, type Layers } from "./layered-tree.ts";

export class UpperFolder {
  readonly #upper: string;
  readonly #layers: Layers;
  readonly #owners: boolean;

  constructor(upper: string, { layers, owners }: { readonly layers: Layers; readonly owners: boolean }) {
    this.#upper = upper;
    this.#layers = layers;
    this.#owners = owners;
    mkdirSync(upper, { recursive: true, mode: 0o755 });
    // The topmost folder tells owner and mode of `/`.
    this.#copyOf("/", upper);
  }

  /** As the layers lie on top of one another, ours first. */
  get #all(): Layers {
    return [this.#upper, ...this.#layers];
  }

  /** Where the path leads, with a folder there; throws when it is a file. */
  folder(path: string, made: { readonly mode?: number; readonly uid?: number; readonly gid?: number } = {}): string {
    const found = findIn(this.#all, path);
    if (found.stat?.isDirectory() === true) return found.path;
    if (found.stat !== undefined) throw new Error(`${path} is a file in the image, not a directory`);
    this.#makeFolder(found.path);
    const own = join(this.#upper, found.path);
    chmodSync(own, made.mode ?? 0o755);
    if (this.#owners && made.uid !== undefined) chownSync(own, made.uid, made.gid ?? made.uid);
    return found.path;
  }

  /** Where the path leads, with a file there; throws when it is a folder. */
  file(path: string): string {
    const found = findIn(this.#all, path);
    if (found.stat?.isDirectory() === true) throw new Error(`${path} is a directory in the image, not a file`);
    if (found.stat === undefined) this.#write(found.path, "");
    return found.path;
  }

  /** Instead of what the image has there. */
  write(path: string, text: string): void {
    const { path: real } = findIn(this.#all, dirname(path));
    this.#write(join(real, path.slice(path.lastIndexOf("/") + 1)), text);
  }

  link(path: string, target: string): void {
    if (findIn(this.#all, path).stat !== undefined) return;
    this.#makeFolder(dirname(path));
    symlinkSync(target, join(this.#upper, path));
  }

  #write(path: string, text: string): void {
    this.#makeFolder(dirname(path));
    writeFileSync(join(this.#upper, path), text, { mode: 0o644 });
  }

  /** `path` is without links. A folder that lies in a lower layer, too, has its owner and mode from there. */
  #makeFolder(path: string): void {
    const own = join(this.#upper, path);
    if (path === "/" || lstatSync(own, { throwIfNoEntry: false }) !== undefined) return;
    this.#makeFolder(dirname(path));
    mkdirSync(own, { mode: 0o755 });
    this.#copyOf(path, own);
  }

  #copyOf(path: string, own: string): void {
    const stat = this.#layers.length === 0 ? undefined : findIn(this.#layers, path).stat;
    chmodSync(own, stat === undefined ? 0o755 : stat.mode & 0o7777);
    if (stat !== undefined && this.#owners) chownSync(own, stat.uid, stat.gid);
  }
}
