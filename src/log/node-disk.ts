// The disk of this machine: Node's file calls on its thread pool, so that a slow disk never holds up the loop.
import { constants, mkdirSync } from "node:fs";
import * as fs from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Disk, DiskFile, OpenOptions } from "./disk.ts";

/**
 * O_DSYNC makes a write and its sync one call and one hop to the pool: half of the CPU of two. Elsewhere a write is followed by
 * fdatasync, which on macOS is F_FULLFSYNC.
 */
const WRITES_ARE_SYNCED = process.platform === "linux";

export class NodeDisk implements Disk {
  readonly #folder: string;

  /** The folder is made when it is missing, for its owner alone. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
  }

  list(): Promise<string[]> {
    return readdir(this.#folder);
  }

  open(name: string, { create, synced }: OpenOptions): Promise<DiskFile> {
    const flags = constants.O_RDWR | (create ? constants.O_CREAT : 0) | (synced && WRITES_ARE_SYNCED ? constants.O_DSYNC : 0);
    return new Promise((resolve, reject) => {
      fs.open(join(this.#folder, name), flags, 0o600, (err, fd) => (err === null ? resolve(new NodeFile(fd, synced && !WRITES_ARE_SYNCED)) : reject(err)));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return rename(join(this.#folder, from), join(this.#folder, to));
  }

  remove(name: string): Promise<void> {
    return rm(join(this.#folder, name), { force: true });
  }

  async syncFolder(): Promise<void> {
    await using folder = await open(this.#folder, "r");
    await folder.sync();
  }
}

class NodeFile implements DiskFile {
  readonly #fd: number;
  readonly #syncWrites: boolean;

  constructor(fd: number, syncWrites: boolean) {
    this.#fd = fd;
    this.#syncWrites = syncWrites;
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => fs.fstat(this.#fd, (err, { size }) => (err === null ? resolve(size) : reject(err))));
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let read = 0;
    while (read < buffer.length) {
      const more = await this.#readOnce(buffer, read, position + read);
      if (more === 0) break;
      read += more;
    }
    return read;
  }

  #readOnce(buffer: Uint8Array, at: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, buffer, at, buffer.length - at, position, (err, bytes) => (err === null ? resolve(bytes) : reject(err)));
    });
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let left = buffers;
    let at = position;
    while (left.length > 0) {
      const written = await this.#writeOnce(left, at);
      at += written;
      left = behind(left, written);
    }
    if (this.#syncWrites) await this.datasync();
  }

  #writeOnce(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const [first] = buffers;
    return new Promise((resolve, reject) => {
      const done = (err: Error | null, bytes: number): void => (err === null ? resolve(bytes) : reject(err));
      if (first !== undefined && buffers.length === 1) fs.write(this.#fd, first, 0, first.length, position, done);
      else fs.writev(this.#fd, buffers, position, done);
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => fs.fdatasync(this.#fd, (err) => (err === null ? resolve() : reject(err))));
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => fs.ftruncate(this.#fd, length, (err) => (err === null ? resolve() : reject(err))));
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => fs.close(this.#fd, (err) => (err === null ? resolve() : reject(err))));
  }
}

/** What is left of the buffers when the first `written` octets are gone. */
function behind(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let left = written;
  for (const [index, buffer] of buffers.entries()) {
    if (left < buffer.length) return left === 0 ? buffers.slice(index) : [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
  }
  return [];
}
