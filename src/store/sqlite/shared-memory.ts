// The index of the write-ahead log is a file that SQLite maps into memory. A block of it that the disk has yet to give ends the process (SIGBUS) once the disk is
// full: SQLite asks for one block in every 4 KiB, so where blocks are smaller the others are missing. All are asked for here, before they are needed.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** Eight pieces of the index: a log of 128 MB. Beyond that SQLite asks as it always does. */
export const RESERVED_BYTES = 256 << 10;

/** Before SQLite opens the database, which empties the file and gives its blocks back to the disk for a moment. Throws ENOSPC. */
export function tryRoom(path: string): void {
  const fd = openSync(`${path}-shm`, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    fill(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * For the first connection, before there are others. Throws ENOSPC.
 * Answers how to give up the file: only once the database is closed, since closing any descriptor of a file lets go of all the locks that this process has on it.
 */
export function reserveSharedMemory(path: string): () => void {
  const fd = openSync(`${path}-shm`, "r+");
  try {
    fill(fd);
    return () => closeSync(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What is there is written again as it is. */
function fill(fd: number): void {
  const bytes = Buffer.alloc(Math.max(RESERVED_BYTES, fstatSync(fd).size));
  readSync(fd, bytes, 0, bytes.length, 0);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
}

/** Of Node, and SQLite's SQLITE_FULL and SQLITE_IOERR_SHMSIZE. */
const SQLITE_FULL = 13;
const SQLITE_NO_INDEX = 4874;

/** Another time there may be room: no fault of the file. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: string; readonly errcode?: number };
  return code === "ENOSPC" || errcode === SQLITE_FULL || errcode === SQLITE_NO_INDEX;
}
