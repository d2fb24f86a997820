// How far something is, by key, kept over restarts. Whoever keeps it does so on a disk; here is only what its users know of that.

export interface Marks<M> {
  get(key: string): M | undefined;
  /** In no order. */
  entries(): Iterable<readonly [string, M]>;
  /** In force at once; resolves when this one, and all changes before it, are on the disk. */
  set(key: string, mark: M): Promise<void>;
  /** As `set`. */
  delete(key: string): Promise<void>;
}

/** Marks of several owners, each with its own. */
export interface MarksShelf<M> {
  /** Those that are not there are empty. */
  open(owner: string): Promise<Marks<M>>;
  /** Nobody may be using them. */
  remove(owner: string): Promise<void>;
  owners(): Promise<readonly string[]>;
}
