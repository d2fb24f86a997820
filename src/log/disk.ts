// What the log wants of a disk: a folder of files, and words for when something is really on it. NodeDisk is the real one.

export interface OpenOptions {
  /** Makes the file when it is missing. */
  readonly create: boolean;
  /** Each write is on the disk when it resolves, as with a datasync behind it. */
  readonly synced: boolean;
}

/** One folder, flat. Operations reject with the system's error (`code` such as ENOSPC). */
export interface Disk {
  /** Names of the files, in no order. */
  list(): Promise<string[]>;
  open(name: string, options: OpenOptions): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(name: string): Promise<void>;
  /** Files made, renamed and removed so far are so after a power cut, too. */
  syncFolder(): Promise<void>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Fills the buffer from there; octets read, less than asked for only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Writes all of the buffers there, one behind the other. After a failure any part of it may have been written. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** What was written, and the file's length, is on the disk. After a failure nothing is known of what was not synced before. */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}
