// The kernel lock on a data folder: an exclusive SQLite transaction, which ends with its process however that dies.
import { DatabaseSync } from "node:sqlite";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** Held while referenced; `release` is for tests and orderly ends. */
export interface DataLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Locks `<path>/keeper.lock`, or tells that another keeper holds it. Throws when the folder cannot be written. */
export function lockDataFolder(path: string): DataLock | "held" {
  const file = join(path, "keeper.lock");
  makeOwn(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is ever written: no journal beside the file.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return "held";
    throw error;
  }
  return {
    release() {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

/** For its owner alone from its first instant. One that is there is not opened: closing it would let go of a lock of this process. */
function makeOwn(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
