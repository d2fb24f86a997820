// A disk that a seed decides over: until something is synced, a power cut keeps any subset of its sectors and of the folder's entries.
//
// Each sector of 512 octets and each length has all versions since it was last known to be on disk; a cut picks one of them for each,
// so that writes are lost, torn and reordered. A disk can also be full, fail a sync (what was not synced is then anything), or hang.
import { below, type Rng } from "#core";
import type { Disk, DiskFile, OpenOptions } from "../../src/log/disk.ts";

const SECTOR = 512;

/** A file's octets: for each sector, and for the length, what it may be after a cut, oldest first; the last is what is read. */
interface Inode {
  readonly sectors: Map<number, Buffer[]>;
  lengths: number[];
}

type FolderChange =
  | { readonly do: "make"; readonly name: string; readonly inode: Inode }
  | { readonly do: "remove"; readonly name: string }
  | { readonly do: "rename"; readonly name: string; readonly to: string };

export interface Faults {
  /** Power is cut at this operation, counted from the disk's beginning. */
  readonly cutAt?: number;
  /** Octets of all files together. */
  readonly capacity?: number;
  /** One of so many syncs fails. */
  readonly failOneIn?: number;
  /** Nothing ends before this does. */
  readonly held?: Promise<void>;
}

export class SimDisk implements Disk {
  readonly #rng: Rng;
  readonly #folder: Map<string, Inode>;
  #synced: Map<string, Inode>;
  #changes: FolderChange[] = [];
  #operations = 0;
  faults: Faults = {};
  /** Resolves when the power is cut. */
  readonly off: Promise<void>;
  #cut = (): void => undefined;
  isOff = false;

  constructor(rng: Rng, files: ReadonlyMap<string, Inode> = new Map()) {
    this.#rng = rng;
    this.#folder = new Map(files);
    this.#synced = new Map(files);
    this.off = new Promise((resolve) => (this.#cut = resolve));
  }

  get operations(): number {
    return this.#operations;
  }

  /** What is found after the power is back. */
  afterCut(): SimDisk {
    const names = new Map(this.#synced);
    for (const change of this.#changes) if (below(this.#rng, 2) === 0) applyTo(names, change);
    const files = new Map<string, Inode>();
    for (const [name, inode] of names) files.set(name, this.#settled(inode));
    return new SimDisk(this.#rng, files);
  }

  #settled({ sectors, lengths }: Inode): Inode {
    const length = this.#one(lengths);
    const kept = new Map<number, Buffer[]>();
    for (const [index, versions] of sectors) if (index * SECTOR < length) kept.set(index, [upTo(this.#one(versions), length - index * SECTOR)]);
    return { sectors: kept, lengths: [length] };
  }

  #one<T>(versions: readonly T[]): T {
    return versions[below(this.#rng, versions.length)] as T;
  }

  /** Each operation takes a turn; at the cut it never ends. */
  async operate<T>(act: () => T, then: (done: T) => void = () => undefined): Promise<T> {
    if (this.isOff) await never();
    this.#operations++;
    const done = act();
    if (this.faults.cutAt !== undefined && this.#operations >= this.faults.cutAt) {
      this.isOff = true;
      this.#cut();
    }
    await this.faults.held;
    if (this.isOff) await never();
    then(done);
    return done;
  }

  /** The power goes now, between two operations or in the middle of one. */
  cutNow(): void {
    this.isOff = true;
    this.#cut();
  }

  list(): Promise<string[]> {
    return this.operate(() => [...this.#folder.keys()]);
  }

  open(name: string, { create, synced }: OpenOptions): Promise<DiskFile> {
    return this.operate(() => {
      let inode = this.#folder.get(name);
      if (inode === undefined && !create) throw failure("ENOENT");
      if (inode === undefined) {
        inode = { sectors: new Map(), lengths: [0] };
        this.#change({ do: "make", name, inode });
      }
      return new SimFile(this, inode, synced);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.operate(() => this.#change({ do: "rename", name: from, to }));
  }

  remove(name: string): Promise<void> {
    return this.operate(() => this.#change({ do: "remove", name }));
  }

  #change(change: FolderChange): void {
    applyTo(this.#folder, change);
    this.#changes.push(change);
  }

  syncFolder(): Promise<void> {
    return this.operate(
      () => this.mayFail(),
      () => {
        this.#synced = new Map(this.#folder);
        this.#changes = [];
      },
    );
  }

  /** Throws when the disk has no room for so many octets more. */
  admit(bytes: number): void {
    if (this.faults.capacity === undefined) return;
    let used = 0;
    for (const { lengths } of this.#folder.values()) used += lengths.at(-1) ?? 0;
    if (used + bytes > this.faults.capacity) throw failure("ENOSPC");
  }

  mayFail(): void {
    if (this.faults.failOneIn !== undefined && below(this.#rng, this.faults.failOneIn) === 0) throw failure("EIO");
  }

  /** After a failed sync every version may be the one that is there. */
  scramble(inode: Inode): void {
    for (const [index, versions] of inode.sectors) inode.sectors.set(index, [this.#one(versions)]);
    inode.lengths = [this.#one(inode.lengths)];
  }

  flip(name: string, at: number): void {
    const versions = this.#folder.get(name)?.sectors.get(Math.floor(at / SECTOR));
    for (const sector of versions ?? []) sector[at % SECTOR] = (sector[at % SECTOR] ?? 0) ^ 1;
  }
}

class SimFile implements DiskFile {
  readonly #disk: SimDisk;
  readonly #inode: Inode;
  readonly #synced: boolean;

  constructor(disk: SimDisk, inode: Inode, synced: boolean) {
    this.#disk = disk;
    this.#inode = inode;
    this.#synced = synced;
  }

  get #length(): number {
    return this.#inode.lengths.at(-1) ?? 0;
  }

  size(): Promise<number> {
    return this.#disk.operate(() => this.#length);
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#disk.operate(() => {
      const bytes = Math.max(0, Math.min(buffer.length, this.#length - position));
      for (let at = 0; at < bytes;) {
        const from = (position + at) % SECTOR;
        const piece = Math.min(SECTOR - from, bytes - at);
        const sector = this.#sector(Math.floor((position + at) / SECTOR));
        buffer.set(sector.subarray(from, from + piece), at);
        at += piece;
      }
      return bytes;
    });
  }

  #sector(index: number): Buffer {
    return this.#inode.sectors.get(index)?.at(-1) ?? Buffer.alloc(SECTOR);
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const octets = Buffer.concat(buffers);
    return this.#disk.operate(
      () => {
        this.#disk.admit(Math.max(0, position + octets.length - this.#length));
        this.#put(octets, position);
        if (this.#synced) this.#maySync();
      },
      () => {
        if (this.#synced) this.#settle(position, octets.length);
      },
    );
  }

  #put(octets: Buffer, position: number): void {
    for (let at = 0; at < octets.length;) {
      const index = Math.floor((position + at) / SECTOR);
      const from = (position + at) % SECTOR;
      const piece = Math.min(SECTOR - from, octets.length - at);
      const sector = Buffer.from(this.#sector(index));
      octets.copy(sector, from, at, at + piece);
      this.#version(index, sector);
      at += piece;
    }
    if (position + octets.length > this.#length) this.#inode.lengths.push(position + octets.length);
  }

  #version(index: number, sector: Buffer): void {
    const versions = this.#inode.sectors.get(index);
    if (versions === undefined) this.#inode.sectors.set(index, [Buffer.alloc(SECTOR), sector]);
    else versions.push(sector);
  }

  /** What was just written is on the disk, other writes need not be. */
  #settle(position: number, length: number): void {
    const { sectors } = this.#inode;
    for (let index = Math.floor(position / SECTOR); index * SECTOR < position + length; index++) {
      const versions = sectors.get(index);
      if (versions !== undefined) versions.splice(0, versions.length - 1);
    }
    this.#inode.lengths = [this.#length];
  }

  #maySync(): void {
    try {
      this.#disk.mayFail();
    } catch (error) {
      this.#disk.scramble(this.#inode);
      throw error;
    }
  }

  datasync(): Promise<void> {
    return this.#disk.operate(
      () => this.#maySync(),
      () => {
        for (const versions of this.#inode.sectors.values()) versions.splice(0, versions.length - 1);
        this.#inode.lengths = [this.#length];
      },
    );
  }

  truncate(length: number): Promise<void> {
    return this.#disk.operate(() => {
      for (const index of this.#inode.sectors.keys()) {
        if ((index + 1) * SECTOR > length) this.#version(index, upTo(this.#sector(index), length - index * SECTOR));
      }
      if (length !== this.#length) this.#inode.lengths.push(length);
    });
  }

  async close(): Promise<void> {
    await this.#disk.operate(() => undefined);
  }
}

/** The sector with zeros behind its first octets. */
function upTo(sector: Buffer, bytes: number): Buffer {
  if (bytes >= SECTOR) return sector;
  const cut = Buffer.alloc(SECTOR);
  sector.copy(cut, 0, 0, Math.max(0, bytes));
  return cut;
}

function applyTo(folder: Map<string, Inode>, change: FolderChange): void {
  if (change.do === "make") folder.set(change.name, change.inode);
  else {
    const inode = folder.get(change.name);
    folder.delete(change.name);
    if (change.do === "rename" && inode !== undefined) folder.set(change.to, inode);
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: planted by the simulated disk`), { code });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
